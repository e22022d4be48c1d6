"""When an elder's next visit is due, and how urgent that is: plain calculation with days in Asia/Shanghai."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date, timedelta

from django.db.models import TextChoices

from catalog.choices import Per
from visits.slots import WEEK, counted_days, next_month, slot_count

DAY = timedelta(days=1)


class DueState(TextChoices):
    """How urgent an elder's next visit is, most urgent first."""

    OVERDUE = "逾期", "逾期"
    TODAY = "今日到期", "今日到期"
    THIS_WEEK = "本周到期", "本周到期"
    WAITING = "待访", "待访"
    MET = "已达标", "已达标"


def next_due(
    *, month: date, per: Per, times: int, in_person: int, visited: Collection[tuple[date, bool]], today: date
) -> date | None:
    """Return the last day on which the next visit of the month is in time; None: nothing is left to be done.

    visited: (day, at home) of the effective visits in modes of the tier; several on a day count once. It is the
    last day of the earliest slot not filled, or of the month if only home visits are short. A slot missed before
    today stays due until the running slot is filled: what was missed cannot be made up by then, and the next
    slot's day is due instead, if there is one.
    """
    full = _filled_slots(month, per, times, visited)
    slots = list(_slots(month, per))
    open_days = [last for (first, last) in slots if first not in full]
    if any(first in full and first <= today <= last for first, last in slots):
        ahead = [last for last in open_days if last > today]
        open_days = ahead or open_days
    days = open_days[:1]
    home = {day for day, at_home in visited if at_home and month <= day < next_month(month)}
    if slots and len(home) < in_person:
        days.append(next_month(month) - DAY)
    return min(days, default=None)


def due_state(due: date | None, today: date, missed_last_month: bool = False) -> DueState:
    """Tell how urgent a visit due on the day is; who was obliged and not visited last month is overdue at once."""
    if due is None:
        return DueState.MET
    if due < today or missed_last_month:
        return DueState.OVERDUE
    if due == today:
        return DueState.TODAY
    return DueState.THIS_WEEK if due <= week_end(today) else DueState.WAITING


def week_end(day: date) -> date:
    """Return the Sunday of the day's week."""
    return day + timedelta(days=6 - day.weekday())


def _slots(month: date, per: Per) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each slot that the month shows."""
    count = slot_count(month, per)
    if not count:
        return
    first, after = counted_days(month, per)
    length = WEEK if per == Per.WEEK else after - first
    for number in range(count):
        start = first + number * length
        yield start, start + length - DAY


def _filled_slots(month: date, per: Per, times: int, visited: Collection[tuple[date, bool]]) -> set[date]:
    """Return the first days of the slots with visits on at least `times` days."""
    days = {day for day, _ in visited}
    visits = Counter(first for first, last in _slots(month, per) for day in days if first <= day <= last)
    return {first for first, count in visits.items() if count >= times}
