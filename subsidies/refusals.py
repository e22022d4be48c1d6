"""A refusal that a person can act upon."""


class MoneyRefusedError(Exception):
    """A step with money or enrolments cannot be taken; the message is a Chinese sentence with the way out."""
