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


def mask_name(name: str) -> str:
    """Keep the first and last character, of two the first: 张*三, 张*.

    >>> mask_name("张三"), mask_name("张小三"), mask_name("欧阳小三")
    ('张*', '张*三', '欧**三')
    """
    return name[:1] + "*" if len(name) <= 2 else f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"
