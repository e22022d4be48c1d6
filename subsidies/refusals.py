"""A refusal that a person can act upon."""

from datetime import datetime

from django.utils import timezone


class MoneyRefusedError(Exception):
    """A step with money or enrolments cannot be taken; the message is a Chinese sentence with the way out."""


def done_by(person: object, at: datetime | None, act: str) -> str:
    """已由 张三 于 11-21 10:05 审批; the system acts where no person is known."""
    moment = f" 于 {timezone.localtime(at):%m-%d %H:%M}" if at else ""
    return f"已由 {person or '系统'}{moment} {act}"
