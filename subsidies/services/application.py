"""An application's way: hand-in, check by the township, approval by the county, public notice, enrolment (domain §2.4).

Maker, checker and approver are three persons. Locks: the application, then its elder; a new one locks the elder alone.
"""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from django.db import transaction
from django.utils import timezone

from catalog.choices import Application as Way
from catalog.choices import Subject, Track
from catalog.models import Item
from eldercare.models import Elder
from eldercare.services.monthly_facts import elders_touch
from operations.models import AuditEntry
from operations.services.audit import audit_record
from organization.choices import Permission
from organization.models import User
from subsidies.applications import (
    OPEN,
    enrolled_with,
    home_code,
    is_eligible,
    is_enrolled_singly,
    running,
    version_on,
)
from subsidies.choices import ApplicationState, Channel, EnrolmentAction, EnrolmentState, ResumeReason
from subsidies.first_month import month_of
from subsidies.models import Application, Enrolment, EnrolmentEvent, PaymentTerms
from subsidies.proposed_month import first_month_checked, first_month_proposed
from subsidies.refusals import MoneyRefusedError, done_by
from subsidies.services.enrolment_guard import (
    elder_held,
    keep_apart,
    may_handle,
    refuse_enrolled,
    refuse_other_list,
)

State = ApplicationState
REASON_LENGTH: Final = 200

NOT_IN_LIST: Final = "这一项目不属于老年人户籍或居住县的清单；请在该县的清单中另选项目"
NOT_IN_FORCE: Final = "“{item}”在 {day} 没有有效的规定；请核对申请日期，或先加载清单"
AUTOMATIC: Final = "“{item}”免申即享，符合条件即核定发放，不用申请"
NOT_SINGLY: Final = "“{item}”不逐人登记享受，不用申请"
IN_FUTURE: Final = "申请日期 {day} 晚于今天；请核对后填写实际申请的日期"
NO_AGENT: Final = "代办的申请应填写代办人姓名和与本人的关系"
NO_REASON: Final = "请写明理由，{length} 个字以内"
OVER: Final = "这件申请{state}，不能{act}"


class Made(NamedTuple):
    """A new application. eligible: by the newest decided month; False is a warning, None: no month decided yet."""

    application: Application
    eligible: bool | None


def application_make(
    *,
    elder: Elder,
    item: Item,
    channel: str,
    actor: User,
    agent_name: str = "",
    agent_relation: str = "",
    note: str = "",
    applied_on: date | None = None,
) -> Made:
    """Hand in an application; the same again by the same person returns the one in hand.

    An elder who is not entitled by the newest month may apply, since facts may be under way. Raises MoneyRefusedError.
    """
    today = timezone.localdate()
    day = applied_on or today
    if Channel(channel) == Channel.AGENT and not (agent_name.strip() and agent_relation.strip()):
        raise MoneyRefusedError(NO_AGENT)
    if day > today:
        raise MoneyRefusedError(IN_FUTURE.format(day=day))
    with transaction.atomic():
        elder = elder_held(elder, actor, Permission.APPLICATION_MAKE)
        _may_be_applied_for(elder, item, day)
        refuse_other_list(elder, item, actor, Permission.APPLICATION_MAKE)
        if (waiting := _waiting(elder, item)) is not None:
            if waiting.made_by_id != actor.pk or waiting.elder_id != elder.pk:
                told = done_by(
                    waiting.made_by, waiting.made_at, f"登记申请，现在{waiting.get_state_display()}"
                )
                raise MoneyRefusedError(f"{told}；请在申请列表中办理这一件")
            return Made(waiting, is_eligible(elder, item))
        refuse_enrolled(elder, item, month_of(today))
        application = Application.objects.create(
            elder=elder,
            item=item,
            channel=Channel(channel),
            agent_name=agent_name.strip(),
            agent_relation=agent_relation.strip(),
            note=note.strip(),
            area_code=home_code(elder, item.document.area_id),
            applied_on=day,
            made_by=actor,
        )
        eligible = is_eligible(elder, item)
        _record("登记申请", application, actor, applied_on=day.isoformat(), eligible=eligible)
    return Made(application, eligible)


def application_check(*, application_id: int, actor: User, note: str = "") -> Application:
    """Confirm for the township what the applicant says; it goes on to the county."""
    with transaction.atomic():
        application = _held(application_id)
        if application.state != State.CHECKING:
            return _as_it_stands(application, actor, application.checked_by, application.checked_at, "审核")
        may_handle(application, actor, Permission.APPLICATION_CHECK, "审核", "镇（街）负责人")
        keep_apart(actor, application.made_by, "经办", "审核", "镇（街）负责人")
        application.state = State.APPROVING
        application.checked_by, application.checked_at = actor, timezone.now()
        application.save(update_fields=["state", "checked_by", "checked_at"])
        _record("审核申请", application, actor, note=note.strip())
    return application


def application_approve(
    *, application_id: int, actor: User, first_month: date | None = None, today: date | None = None
) -> Application:
    """Approve for the county; enrolled at once, or after the public notice that the item's terms ask for.

    first_month: other than what the terms propose. today: the day of the approval.
    """
    today = today or timezone.localdate()
    with transaction.atomic():
        application = _held(application_id)
        if application.state != State.APPROVING:
            return _as_it_stands(application, actor, application.approved_by, application.approved_at, "审批")
        may_handle(application, actor, Permission.APPLICATION_APPROVE, "审批", "县民政局分管领导")
        keep_apart(actor, application.made_by, "经办", "审批", "分管领导")
        keep_apart(actor, application.checked_by, "审核", "审批", "分管领导")
        terms = PaymentTerms.objects.filter(item=application.item_id).first()
        proposed = first_month_proposed(application, terms, today)
        application.first_month = first_month_checked(application, first_month, proposed)
        application.approved_by, application.approved_at = actor, timezone.now()
        days = terms.notice_days if terms else 0
        application.state = State.NOTICE
        application.notice_until = today + timedelta(days=days) if days else None
        application.save(update_fields=["state", "first_month", "approved_by", "approved_at", "notice_until"])
        _record(
            "审批申请",
            application,
            actor,
            first_month=f"{application.first_month:%Y-%m}",
            proposed=f"{proposed:%Y-%m}",
            notice_until=application.notice_until and application.notice_until.isoformat(),
        )
        if not days:
            _grant(application)
    return application


def application_refuse(*, application_id: int, actor: User, reason: str) -> Application:
    """Turn an application down with a reason: the township before its check, the county before or during the notice."""
    reason = _reason(reason)
    with transaction.atomic():
        application = _held(application_id)
        if application.state not in OPEN:
            return _ended_as(application, actor, State.REJECTED, "不予批准")
        if application.state == State.CHECKING:
            may_handle(application, actor, Permission.APPLICATION_CHECK, "审核", "镇（街）负责人")
            keep_apart(actor, application.made_by, "经办", "审核", "镇（街）负责人")
        else:
            may_handle(application, actor, Permission.APPLICATION_APPROVE, "审批", "县民政局分管领导")
            keep_apart(actor, application.made_by, "经办", "审批", "分管领导")
            keep_apart(actor, application.checked_by, "审核", "审批", "分管领导")
        return _end(application, State.REJECTED, "不予批准", actor, reason)


def application_withdraw(*, application_id: int, actor: User, reason: str) -> Application:
    """Take an open application back, for the elder or because it was a mistake."""
    reason = _reason(reason)
    with transaction.atomic():
        application = _held(application_id)
        if application.state not in OPEN:
            return _ended_as(application, actor, State.WITHDRAWN, "撤回")
        may_handle(application, actor, Permission.APPLICATION_MAKE, "撤回", "经办人")
        return _end(application, State.WITHDRAWN, "撤回", actor, reason)


def application_notices_end(*, today: date) -> int:
    """Enrol those whose notice is over: the day after its last day. Return how many; safe to repeat."""
    ended = Application.objects.filter(state=State.NOTICE, notice_until__lt=today)
    granted = 0
    for pk in ended.order_by("id").values_list("id", flat=True):
        with transaction.atomic():
            before = Application.objects.select_for_update().get(pk=pk)
            granted += _notice_over(before, today)
    return granted


def _may_be_applied_for(elder: Elder, item: Item, day: date) -> None:
    if not is_enrolled_singly(item) or not home_code(elder, item.document.area_id):
        raise MoneyRefusedError(NOT_IN_LIST)
    version = version_on(item, timezone.localdate()) or version_on(item, day)
    if version is None:
        raise MoneyRefusedError(NOT_IN_FORCE.format(item=item.name, day=day))
    if version.application != Way.ON_REQUEST:
        raise MoneyRefusedError(AUTOMATIC.format(item=item.name))
    if version.track != Track.PERSON:
        raise MoneyRefusedError(NOT_SINGLY.format(item=item.name))


def _waiting(elder: Elder, item: Item) -> Application | None:
    """The open application of the elder, or of another member for a household's item."""
    rows = Application.objects.filter(item=item, state__in=OPEN).select_related("made_by")
    if item.subject == Subject.HOUSEHOLD:
        return rows.filter(elder__household_key=elder.household_key).first()
    return rows.filter(elder=elder).first()


def _held(application_id: int) -> Application:
    """Lock the application; a notice that is over by now ends first."""
    application = (
        Application.objects.select_for_update(of=("self",))
        .select_related("elder", "item__document", "made_by", "checked_by", "approved_by")
        .get(pk=application_id)
    )
    _notice_over(application, timezone.localdate())
    return application


def _notice_over(application: Application, today: date) -> bool:
    """Enrol if the notice is over."""
    if application.state != State.NOTICE or (application.notice_until or today) >= today:
        return False
    _grant(application)
    return True


def _grant(application: Application) -> None:
    """Enrol the applicant from the first month on; the next run decides him again."""
    elder = Elder.objects.select_for_update(no_key=True).get(pk=application.elder_id)
    item = application.item
    month = application.first_month or month_of(application.applied_on)  # the approval has fixed it
    # a file may have enrolled him while the list hung out
    enrolment = running(enrolled_with(elder, item), month).first()
    if enrolment is None:
        enrolment = Enrolment.objects.create(
            elder=elder, item=item, first_month=month, state=EnrolmentState.RECEIVING
        )
        late = month <= month_of(application.applied_on)
        EnrolmentEvent.objects.create(
            enrolment=enrolment,
            action=EnrolmentAction.START,
            reason=ResumeReason.LATE if late else "",
            month=month,
            actor=application.approved_by,
        )
        elders_touch(elder_ids=[elder.pk])
    application.state, application.enrolment = State.APPROVED, enrolment
    application.save(update_fields=["state", "enrolment"])
    _record("登记享受", application, None, first_month=f"{enrolment.first_month:%Y-%m}")


def _as_it_stands(
    application: Application, actor: User, done: User | None, at: datetime | None, act: str
) -> Application:
    """A step taken by the same person before is done; by another it is refused, saying who and when."""
    if done is not None and done.pk == actor.pk:
        return application
    if done is not None:
        raise MoneyRefusedError(done_by(done, at, act))
    raise MoneyRefusedError(OVER.format(state=f"现在{application.get_state_display()}", act=act))


def _ended_as(application: Application, actor: User, state: str, act: str) -> Application:
    entry = AuditEntry.objects.filter(subject=f"application:{application.pk}", action=act).first()
    if application.state == state and entry is not None:
        if entry.actor_id == actor.pk:
            return application
        raise MoneyRefusedError(done_by(entry.actor_name, entry.at, act))
    way = "；如不再享受，请办理停发" if application.state == State.APPROVED else ""
    raise MoneyRefusedError(OVER.format(state=f"已是“{application.get_state_display()}”", act=act) + way)


def _end(application: Application, state: str, act: str, actor: User, reason: str) -> Application:
    application.state, application.refusal = state, reason
    application.save(update_fields=["state", "refusal"])
    _record(act, application, actor, reason=reason)
    return application


def _reason(text: str) -> str:
    text = text.strip()
    if not text or len(text) > REASON_LENGTH:
        raise MoneyRefusedError(NO_REASON.format(length=REASON_LENGTH))
    return text


def _record(action: str, application: Application, actor: User | None, **data: object) -> None:
    audit_record(
        action=action,
        subject=f"application:{application.pk}",
        actor=actor,
        data={"elder": application.elder_id, "item": application.item.code, **data},
    )
