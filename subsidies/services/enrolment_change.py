"""Suspending, resuming and stopping what an elder draws, each with a reason of domain §2.5.

For an item 申请 the enrolment is changed; for one 免申即享, where none is needed, a row is made on the spot to hold
back or end what comes by itself. What was stopped is started again by a new row. The elder's row is locked first.
"""

from datetime import date
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import Min, TextChoices
from django.utils import timezone

from catalog.choices import Application as Way
from catalog.choices import Subject, Track
from catalog.models import Item, ItemVersion
from eldercare.models import Elder
from eldercare.services.monthly_facts import elders_touch
from operations.services.audit import audit_record
from organization.choices import Permission
from organization.models import User
from subsidies.applications import enrolled_with, home_code, is_enrolled_singly, version_on
from subsidies.choices import EnrolmentAction, EnrolmentState, ResumeReason, StopReason
from subsidies.first_month import month_of, months_later
from subsidies.models import Enrolment, EnrolmentEvent, Month
from subsidies.refusals import MoneyRefusedError, done_by
from subsidies.services.enrolment_guard import elder_held, refuse_other_list

Action = EnrolmentAction
State = EnrolmentState
Reason = TypeVar("Reason", bound=TextChoices)

NO_ENROLMENT: Final = "“{item}”没有享受登记，不用{act}；如应享受，请办理申请"
NOT_HELD: Final = "“{item}”没有暂停或停发，不用恢复"
NOT_SINGLY: Final = "“{item}”不逐人登记享受，不能单独{act}"
NOT_IN_LIST: Final = "这一项目不属于老年人户籍或居住县的清单；请在该县的清单中另选项目"
NOT_A_MONTH: Final = "月份应是某月的 1 日；请选择月份"
NO_REASON: Final = "请选择{act}的原因"
ENDED: Final = "“{item}”已发到 {last:%Y-%m} 为止，不能{act}；如应继续享受，请办理恢复"
HELD_SINCE: Final = (
    "“{item}”自 {since:%Y-%m} 起已暂停，终止月应早于这个月；暂停的月份如应补发，请先恢复，再办理停发"
)
ALL_HELD: Final = (
    "恢复后补发自 {since:%Y-%m} 起暂停的全部月份，不能另选起始月；其中不应发的，请先停发，再从应发的月份恢复"
)
TOO_EARLY: Final = "恢复的起始月最早为 {earliest:%Y-%m}；请选择这个月或以后的月份"
LONG_ENDED: Final = "“{item}”已于 {last:%Y-%m} 终止，不是上月以来停发的，不能直接恢复；请办理申请"
BY_FACTS: Final = "按家庭享受的项目，成员去世或迁出请登记死亡或迁出日期，系统会按同户其他人重新核定"


def enrolment_suspend(
    *, elder: Elder, item: Item, actor: User, reason: str, note: str = "", month: date | None = None
) -> Enrolment:
    """Hold back what the elder draws from a month on (this one); what was paid before stays paid.

    Suspended already for another reason: that reason is added, and he who resumes has to settle both.
    """
    why = _chosen(StopReason, reason, "暂停")
    start = _first_day(month) or _this_month()
    with transaction.atomic():
        elder = elder_held(elder, actor, Permission.ENROLMENT_CHANGE)
        refuse_other_list(elder, item, actor, Permission.ENROLMENT_CHANGE)
        rows = _current(elder, item)
        if not rows:
            rows = [_on_the_spot(elder, item, "暂停", start)]
        for row in rows:
            held = row.state == State.SUSPENDED
            known = row.events.filter(action=Action.SUSPEND).last() if held else None
            if known is not None and known.reason == why:
                _by_same_person(known, actor, "暂停")
                continue
            since = max(start, row.first_month)
            row.suspended_from = min(since, row.suspended_from or row.first_month) if held else since
            row.state = State.SUSPENDED
            _store(row, Action.SUSPEND, actor, why, row.suspended_from, note)
    return rows[0]


def enrolment_resume(
    *, elder: Elder, item: Item, actor: User, reason: str, note: str = "", month: date | None = None
) -> Enrolment:
    """Go on with what was suspended, all months held back being paid, or start anew what was stopped.

    month: first month of a new start (this one, or the one after the last that was paid).
    """
    why = _chosen(ResumeReason, reason, "恢复")
    start = _first_day(month)
    with transaction.atomic():
        elder = elder_held(elder, actor, Permission.ENROLMENT_CHANGE)
        refuse_other_list(elder, item, actor, Permission.ENROLMENT_CHANGE)
        rows = _current(elder, item)
        held = [row for row in rows if row.state == State.SUSPENDED]
        if not rows:
            return _started_anew(elder, item, actor, why, note, start)
        if not held:
            return _resumed_before(rows[0], item, actor)
        for row in held:
            since = row.suspended_from or row.first_month
            if start is not None and start != since:
                raise MoneyRefusedError(ALL_HELD.format(since=since))
            row.state, row.suspended_from = State.RECEIVING, None
            _store(row, Action.RESUME, actor, why, since, note)
    return rows[0]


def enrolment_stop(
    *, elder: Elder, item: Item, actor: User, reason: str, note: str = "", last_month: date | None = None
) -> Enrolment:
    """End what the elder draws; last_month is still paid: this one, or the one before what is suspended.

    A last month before the first leaves nothing to be paid.
    """
    why = _chosen(StopReason, reason, "停发")
    last = _first_day(last_month)
    with transaction.atomic():
        elder = elder_held(elder, actor, Permission.ENROLMENT_CHANGE)
        refuse_other_list(elder, item, actor, Permission.ENROLMENT_CHANGE)
        rows = _current(elder, item)
        if not rows:
            stopped = _stopped_before(elder, item, actor)
            if stopped is not None:
                return stopped
            if item.subject == Subject.HOUSEHOLD and why in {StopReason.DEATH, StopReason.MOVED}:
                raise MoneyRefusedError(BY_FACTS)
            rows = [_on_the_spot(elder, item, "停发", last or _this_month())]
        for row in rows:
            _end(row, item, last)
            _store(row, Action.STOP, actor, why, row.last_month or row.first_month, note)
    return rows[0]


def _end(row: Enrolment, item: Item, last: date | None) -> None:
    held = (row.suspended_from or row.first_month) if row.state == State.SUSPENDED else None
    if held is not None and last is not None and last >= held:
        raise MoneyRefusedError(HELD_SINCE.format(item=item.name, since=held))
    end = last or (months_later(held, -1) if held else _this_month())
    row.state = State.ENDED
    if end < row.first_month:
        row.last_month = row.suspended_from = (
            row.first_month
        )  # the table has no empty range: no month of it is paid
    else:
        row.last_month, row.suspended_from = end, None


def _current(elder: Elder, item: Item) -> list[Enrolment]:
    """Enrolments that still run or are held, newest first; a household's item is anybody's in the household."""
    rows = enrolled_with(elder, item).select_for_update(of=("self",)).exclude(state=State.ENDED)
    return [row for row in rows if row.last_month is None or row.last_month >= _this_month()]


def _on_the_spot(elder: Elder, item: Item, act: str, month: date) -> Enrolment:
    """A row for an item 免申即享 that has none: from the earliest decided month in look-back on."""
    over = enrolled_with(elder, item).first()
    if over is not None and over.last_month is not None:
        raise MoneyRefusedError(ENDED.format(item=item.name, last=over.last_month, act=act))
    version = version_on(item, _today())
    if version is None or version.application != Way.AUTOMATIC:
        raise MoneyRefusedError(NO_ENROLMENT.format(item=item.name, act=act))
    if not is_enrolled_singly(item) or not home_code(elder, item.document.area_id):
        raise MoneyRefusedError(NOT_IN_LIST)
    if version.track != Track.PERSON:
        raise MoneyRefusedError(NOT_SINGLY.format(item=item.name, act=act))
    return Enrolment.objects.create(
        elder=elder, item=item, first_month=min(_opened(item, version), month), state=State.RECEIVING
    )


def _opened(item: Item, version: ItemVersion) -> date:
    """The earliest decided month that may still be paid, else this month."""
    earliest = months_later(_this_month(), -version.lookback)
    months = Month.objects.filter(county_code=item.document.area_id, month__gte=earliest)
    found: date | None = months.aggregate(first=Min("month"))["first"]
    return min(found or _this_month(), _this_month())


def _started_anew(
    elder: Elder, item: Item, actor: User, why: str, note: str, start: date | None
) -> Enrolment:
    """A new row after one that ended, not before the look-back and not over months that were paid.

    An item 申请 has to be applied for again, with check and approval, unless the stop was just now: a mistake undone.
    """
    over = enrolled_with(elder, item).filter(last_month__isnull=False).order_by("-last_month").first()
    version = version_on(item, _today())
    if over is None or over.last_month is None:
        words = NOT_HELD if version and version.application == Way.AUTOMATIC else NO_ENROLMENT
        raise MoneyRefusedError(words.format(item=item.name, act="恢复"))
    if (version is None or version.application != Way.AUTOMATIC) and not _stopped_lately(over):
        raise MoneyRefusedError(LONG_ENDED.format(item=item.name, last=over.last_month))
    free = months_later(over.last_month, 1)
    earliest = max(free, months_later(_this_month(), -(version.lookback if version else 0)))
    month = start or max(free, _this_month())
    if month < earliest:
        raise MoneyRefusedError(TOO_EARLY.format(earliest=earliest))
    row = Enrolment(elder=elder, item=item, first_month=month, state=State.RECEIVING)
    return _store(row, Action.RESUME, actor, why, month, note)


def _stopped_lately(row: Enrolment) -> bool:
    """Tell whether the row was stopped by hand in this or the last calendar month."""
    stop = row.events.filter(action=Action.STOP).last()
    return stop is not None and timezone.localdate(stop.at) >= months_later(_this_month(), -1)


def _resumed_before(row: Enrolment, item: Item, actor: User) -> Enrolment:
    event = row.events.last()
    if event is None or event.action != Action.RESUME:
        raise MoneyRefusedError(NOT_HELD.format(item=item.name))
    _by_same_person(event, actor, "恢复")
    return row


def _stopped_before(elder: Elder, item: Item, actor: User) -> Enrolment | None:
    """The enrolment that this person has stopped already; refused if another has, None if nobody has."""
    row = enrolled_with(elder, item).first()
    event = row.events.last() if row is not None else None
    if row is None or event is None or event.action != Action.STOP:
        return None
    _by_same_person(event, actor, "停发")
    return row


def _by_same_person(event: EnrolmentEvent, actor: User, act: str) -> None:
    if event.actor_id != actor.pk:
        raise MoneyRefusedError(f"{done_by(event.actor, event.at, act)}（{event.reason}）")


def _store(row: Enrolment, action: Action, actor: User, reason: str, month: date, note: str) -> Enrolment:
    row.save()
    EnrolmentEvent.objects.create(
        enrolment=row, action=action, reason=reason, month=month, note=note.strip(), actor=actor
    )
    elders_touch(elder_ids=[row.elder_id])
    audit_record(
        action=f"享受登记{action.label}",
        subject=f"elder:{row.elder_id}",
        actor=actor,
        data={"item": row.item.code, "month": f"{month:%Y-%m}", "reason": reason, "note": note.strip()},
    )
    return row


def _chosen(choices: type[Reason], value: str, act: str) -> Reason:
    try:
        return choices(value)
    except ValueError:
        raise MoneyRefusedError(NO_REASON.format(act=act)) from None


def _first_day(month: date | None) -> date | None:
    if month is not None and month.day != 1:
        raise MoneyRefusedError(NOT_A_MONTH)
    return month


def _today() -> date:
    return timezone.localdate()


def _this_month() -> date:
    return month_of(_today())
