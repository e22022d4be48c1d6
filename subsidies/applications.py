"""Reads of applications: what an elder may apply for, since when he is entitled, what is in hand."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from catalog.choices import Application as Way
from catalog.choices import Subject, Track
from catalog.models import Item, ItemVersion
from eldercare.models import Elder
from organization.areas import area_prefix, county_code, is_county
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from subsidies.choices import ApplicationState, EnrolmentState, Outcome, StopReason
from subsidies.first_month import month_of
from subsidies.models import Application, Enrolment, Entitlement, Month

#: Waiting for somebody or for the end of the notice.
OPEN = (ApplicationState.CHECKING, ApplicationState.APPROVING, ApplicationState.NOTICE)


@dataclass(frozen=True)
class Standing:
    """How an elder stands to an item before an application.

    eligible_since: first month of the unbroken row of decided months in which he was entitled without an enrolment,
    None if he was not in the newest. paid_through: last month of an enrolment that ended. renounced: he gave that up.
    """

    eligible_since: date | None
    paid_through: date | None
    renounced: bool


def application_list(user: User, permission: Permission) -> QuerySet[Application]:
    """Applications of villages in which the user has the permission, with what lists show."""
    rows = Application.objects.select_related("elder", "item", "made_by", "checked_by", "approved_by")
    return in_areas(rows, user.area_prefixes(permission), "area_code")


def home_code(elder: Elder, county_code: str) -> str:
    """The village in which the county counts an elder: of the 户籍, else of the 居住; '' if neither lies there."""
    prefix = area_prefix(county_code)
    return next((code for code in (elder.hukou_code, elder.residence_code) if code.startswith(prefix)), "")


def version_on(item: Item, day: date) -> ItemVersion | None:
    """The item's version in force on a day."""
    return ItemVersion.objects.filter(item=item, valid__contains=day).first()


def items_to_apply_for(elder: Elder, user: User, day: date) -> list[Item]:
    """Items 申请 of the lists that reach both the elder and the user, decided person by person, in printed order."""
    counties = {
        county_code(code)
        for code in (elder.hukou_code, elder.residence_code)
        if any(code.startswith(prefix) for prefix in user.area_prefixes(Permission.APPLICATION_MAKE))
    }
    return list(
        Item.objects.filter(
            document__area__in=counties,
            subject__in=[Subject.PERSON, Subject.HOUSEHOLD],
            versions__valid__contains=day,
            versions__application=Way.ON_REQUEST,
            versions__track=Track.PERSON,
        ).order_by("number", "code")
    )


def is_enrolled_singly(item: Item) -> bool:
    """Whether elders are enrolled in the item: it belongs to a county's list and to persons or households."""
    return is_county(item.document.area_id) and item.subject in {Subject.PERSON, Subject.HOUSEHOLD}


def enrolled_with(elder: Elder, item: Item) -> QuerySet[Enrolment]:
    """Enrolments that count for the elder: his own, for a household's item those of all members; newest first."""
    mine = (
        Q(elder__household_key=elder.household_key) if item.subject == Subject.HOUSEHOLD else Q(elder=elder)
    )
    return Enrolment.objects.filter(mine, item=item).order_by("-first_month", "-id")


def running(rows: QuerySet[Enrolment], month: date) -> QuerySet[Enrolment]:
    """Enrolments that pay, or are held back, in the month or later."""
    return rows.exclude(state=EnrolmentState.ENDED).filter(Q(last_month=None) | Q(last_month__gte=month))


def standing_of(elder: Elder, item: Item, earliest: date) -> Standing:
    """How the elder stands to the item by the decided months from `earliest` on. 4 queries."""
    ended = enrolled_with(elder, item).filter(last_month__isnull=False).order_by("-last_month").first()
    last_event = ended.events.last() if ended else None
    return Standing(
        eligible_since=_eligible_since(elder, item, earliest),
        paid_through=ended.last_month if ended else None,
        renounced=last_event is not None and last_event.reason == StopReason.RENOUNCED,
    )


def is_eligible(elder: Elder, item: Item) -> bool | None:
    """Whether the newest decided month of the item's county entitles the elder; None before any month."""
    month = Month.objects.filter(county_code=item.document.area_id, revision__gt=0).order_by("-month").first()
    if month is None:
        return None
    return Entitlement.objects.of(month).filter(item=item, elder__in=_members(elder, item)).exists()


def _eligible_since(elder: Elder, item: Item, earliest: date) -> date | None:
    decided = Month.objects.filter(
        county_code=item.document.area_id, revision__gt=0, month__gte=month_of(earliest)
    )
    revisions = dict(decided.order_by("-month").values_list("month", "revision"))
    rows = Entitlement.objects.filter(
        county_code=item.document.area_id,
        month__in=list(revisions),
        item=item,
        elder__in=_members(elder, item),
        outcome=Outcome.NOT_APPLIED,
    ).values_list("month", "rev_from", "rev_to")
    missed = {
        month
        for month, start, end in rows
        if start <= revisions[month] and (end is None or end > revisions[month])
    }
    since = None
    for month in revisions:  # newest first
        if month not in missed:
            break
        since = month
    return since


def _members(elder: Elder, item: Item) -> list[int]:
    if item.subject != Subject.HOUSEHOLD:
        return [elder.pk]
    return list(Elder.objects.filter(household_key=elder.household_key).values_list("id", flat=True))
