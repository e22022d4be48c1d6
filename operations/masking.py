"""How sensitive numbers are shown by default (domain §8)."""


def mask_id_number(number: str) -> str:
    """Keep the first 6 and last 4: 610304********1239."""
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}" if len(number) > 10 else "*" * len(number)


def mask_phone(number: str) -> str:
    """Keep the first 3 and last 4: 138****5678."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 8 else "*" * len(number)


def mask_account(number: str) -> str:
    """Keep the last 4: **** 8903."""
    return f"**** {number[-4:]}" if len(number) > 4 else "*" * len(number)
