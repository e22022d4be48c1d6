"""Applications as lists show them: whose turn it is, what the newest month says, what this user can do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet

from catalog.choices import Subject
from organization.choices import Permission
from organization.models import User
from portal.places import place_names
from subsidies.applications import OPEN, application_list
from subsidies.choices import ApplicationState
from subsidies.models import Application, Entitlement, Month

TONES: Final = {
    ApplicationState.CHECKING: "attention",
    ApplicationState.APPROVING: "attention",
    ApplicationState.NOTICE: "info",
    ApplicationState.APPROVED: "good",
    ApplicationState.REJECTED: "danger",
    ApplicationState.WITHDRAWN: "",
}
#: state → (permission of the next step, what it is called, who takes it)
STEPS: Final = {
    ApplicationState.CHECKING: (Permission.APPLICATION_CHECK, "审核", "镇（街）负责人"),
    ApplicationState.APPROVING: (Permission.APPLICATION_APPROVE, "审批", "县民政局分管领导"),
}
MINE, IN_HAND, OVER, ALL = "mine", "open", "over", "all"
VIEWS: Final = {MINE: "轮到我办", IN_HAND: "办理中", OVER: "已办结", ALL: "全部"}


@dataclass(frozen=True)
class ApplicationRow:
    """One application. turn: it waits for this user. eligible: by the newest month, None before any."""

    application: Application
    place: str
    tone: str
    turn: bool
    eligible: bool | None

    @property
    def clean(self) -> bool:
        """It may go through with many others at once."""
        return self.turn and self.eligible is True


@dataclass(frozen=True)
class Offer:
    """What this user can do with an application, and whom it waits for."""

    check: bool = False
    approve: bool = False
    refuse: bool = False
    withdraw: bool = False
    waits: str = ""


def waiting_for(user: User) -> Q:
    """Applications whose next step this user may take: in his areas, and he took none of the steps before."""
    found = Q(pk__in=[])
    for state, (permission, _, _) in STEPS.items():
        for prefix in user.area_prefixes(permission):
            found |= Q(state=state, area_code__startswith=prefix)
    return found & ~Q(made_by=user) & ~Q(checked_by=user)


def in_view(view: str, user: User) -> Q:
    """Applications of one view of the list."""
    if view == MINE:
        return waiting_for(user)
    if view == IN_HAND:
        return Q(state__in=OPEN)
    return ~Q(state__in=OPEN) if view == OVER else Q()


def seen_by(user: User) -> QuerySet[Application]:
    """Applications of villages whose elders the user may see."""
    return application_list(user, Permission.ELDER_VIEW)


def view_counts(rows: QuerySet[Application], user: User) -> dict[str, int]:
    """Applications per view. One query."""
    wanted = {view: Count("pk", filter=in_view(view, user)) for view in (MINE, IN_HAND, OVER)}
    return rows.order_by().aggregate(**wanted, all=Count("pk"))


def application_rows(applications: Iterable[Application], user: User) -> list[ApplicationRow]:
    """Rows of a page; 3 queries whatever its length."""
    applications = list(applications)
    places = place_names(each.area_code for each in applications)
    eligible = _eligible(applications)
    return [
        ApplicationRow(
            each,
            places.get(each.area_code, ""),
            TONES[ApplicationState(each.state)],
            is_turn(each, user),
            eligible.get(each.pk),
        )
        for each in applications
    ]


def is_turn(application: Application, user: User) -> bool:
    """Whether the application waits for this user."""
    step = STEPS.get(ApplicationState(application.state))
    if step is None or user.pk in {application.made_by_id, application.checked_by_id}:
        return False
    return _covers(user, step[0], application)


def offer_of(application: Application, user: User) -> Offer:
    """What the page of one application offers."""
    state = ApplicationState(application.state)
    if state not in OPEN:
        return Offer()
    turn = is_turn(application, user)
    withdraw = _covers(user, Permission.APPLICATION_MAKE, application)
    if state == ApplicationState.NOTICE:
        apart = user.pk not in {application.made_by_id, application.checked_by_id}
        refuse = apart and _covers(user, Permission.APPLICATION_APPROVE, application)
        waits = f"公示至 {application.notice_until}，期满没有异议自动登记享受。"
        return Offer(refuse=refuse, withdraw=withdraw, waits=waits)
    permission, act, who = STEPS[state]
    waits = f"等{who}{act}。"
    if not turn and user.pk in {application.made_by_id, application.checked_by_id}:
        done = "经办" if user.pk == application.made_by_id else "审核"
        if _covers(user, permission, application):
            waits = f"您已{done}这件申请，{act}须由其他{who}办理。"
    return Offer(
        check=turn and state == ApplicationState.CHECKING,
        approve=turn and state == ApplicationState.APPROVING,
        refuse=turn,
        withdraw=withdraw,
        waits=waits,
    )


def _covers(user: User, permission: Permission, application: Application) -> bool:
    return any(application.area_code.startswith(prefix) for prefix in user.area_prefixes(permission))


def _eligible(applications: list[Application]) -> dict[int, bool]:
    """Application → entitled in the newest month of its county; 2 queries. A household's item counts for all of it."""
    counties = {f"{each.area_code[:6]}000000" for each in applications}
    months = Month.objects.filter(county_code__in=counties, revision__gt=0).order_by("county_code", "-month")
    newest = {month.county_code: month for month in months.distinct("county_code")}
    entitled: set[tuple[int, int]] = set()
    households: set[tuple[int, bytes]] = set()
    for code, month in newest.items():
        own = [each for each in applications if each.area_code.startswith(code[:6])]
        rows = Entitlement.objects.of(month).filter(
            item__in={each.item_id for each in own},
            elder__household_key__in={bytes(each.elder.household_key) for each in own},
        )
        for item, elder, household in rows.values_list("item_id", "elder_id", "elder__household_key"):
            entitled.add((item, elder))
            households.add((item, bytes(household)))
    return {
        each.pk: (each.item_id, bytes(each.elder.household_key)) in households
        if each.item.subject == Subject.HOUSEHOLD
        else (each.item_id, each.elder_id) in entitled
        for each in applications
        if f"{each.area_code[:6]}000000" in newest
    }
