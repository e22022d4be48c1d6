"""Applications of the demonstration's township in every state."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Final

from eldercare.choices import Kind
from eldercare.models import Circumstance
from organization.choices import Role
from organization.models import Area
from portal.demo.accounts import person
from portal.demo.areas import COUNTY
from portal.demo.terms import APPLIED_FOR
from subsidies.choices import ApplicationState, Channel, Outcome
from subsidies.models import Application, Entitlement, Month
from subsidies.services.application import (
    application_approve,
    application_check,
    application_make,
    application_refuse,
    application_withdraw,
)

State = ApplicationState
#: What is asked for with a public notice, and what without: the state in which each application is left.
WITH_NOTICE: Final = (State.CHECKING, State.APPROVING, State.NOTICE, State.REJECTED)
WITHOUT: Final = (State.CHECKING, State.APPROVED, State.WITHDRAWN, State.APPROVING)
CHANNELS: Final = (Channel.SELF, Channel.FOUND, Channel.AGENT)
AGENT: Final = ("陶小满", "女儿")


def applications_make(month: date, township: Area) -> int:
    """Hand in applications of those who miss an item by a decided month, each left in its state; return how many."""
    run = Month.objects.get(county_code=COUNTY, month=month)
    gone = Circumstance.objects.filter(kind__in=(Kind.DEATH, Kind.MOVED_OUT)).values("elder")
    missed = Entitlement.objects.of(run).in_area(township.code).filter(outcome=Outcome.NOT_APPLIED)
    missed = missed.exclude(elder__in=gone).select_related("elder", "item").order_by("elder_id", "item_id")
    return _of(missed.filter(item__code=APPLIED_FOR), WITH_NOTICE) + _of(
        missed.exclude(item__code=APPLIED_FOR), WITHOUT
    )


def _of(missed: Iterable[Entitlement], ends: tuple[State, ...]) -> int:
    """One application of a person each."""
    made = 0
    seen: set[int] = set()
    for line in missed:
        if made == len(ends):
            break
        if line.elder_id in seen:
            continue
        seen.add(line.elder_id)
        _carry(_application(line, CHANNELS[made % len(CHANNELS)]), ends[made])
        made += 1
    return made


def _application(line: Entitlement, channel: Channel) -> Application:
    """The application of a step cut short, or a new one."""
    begun = Application.objects.filter(elder=line.elder, item=line.item).first()
    if begun is not None:
        return begun
    name, relation = AGENT if channel is Channel.AGENT else ("", "")
    return application_make(
        elder=line.elder,
        item=line.item,
        channel=channel,
        actor=person(Role.TOWNSHIP_CLERK),
        agent_name=name,
        agent_relation=relation,
    ).application


def _carry(application: Application, end: State) -> None:
    for step in WAYS[end]:
        if application.state != end:
            application = step(application)


def _check(application: Application) -> Application:
    return application_check(
        application_id=application.pk, actor=person(Role.TOWNSHIP_LEAD), note="已入户核实"
    )


def _approve(application: Application) -> Application:
    return application_approve(application_id=application.pk, actor=person(Role.BUREAU_CHIEF))


def _refuse(application: Application) -> Application:
    reason = "家庭收入高于标准，已当面告知"
    return application_refuse(application_id=application.pk, actor=person(Role.TOWNSHIP_LEAD), reason=reason)


def _withdraw(application: Application) -> Application:
    actor = person(Role.TOWNSHIP_CLERK)
    return application_withdraw(application_id=application.pk, actor=actor, reason="本人暂不需要")


WAYS: Final[Mapping[State, tuple[Callable[[Application], Application], ...]]] = {
    State.CHECKING: (),
    State.APPROVING: (_check,),
    State.NOTICE: (_check, _approve),
    State.APPROVED: (_check, _approve),
    State.REJECTED: (_refuse,),
    State.WITHDRAWN: (_withdraw,),
}
