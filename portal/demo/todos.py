"""What the demonstration's users find on their desks: real counts of the newest month, each shown by its link."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from django.http import QueryDict
from django.urls import reverse

from eldercare.choices import YES, Kind
from eldercare.facts import month_last_day
from eldercare.models import Elder
from operations.services.todo import todo_raise
from organization.choices import Role
from organization.models import Area
from portal.filtersets import ElderFilterSet
from subsidies.choices import BatchState, Outcome
from subsidies.models import Batch, Entitlement, Month
from visits.models import Obligation

ALONE: Final = f"{Kind.LIVES_ALONE}:{YES}"


def todos_raise(*, month: Month, county: Area, township: Area, village: Area, today: date) -> int:
    """Open the to-dos of the demonstration; return how many. The same again refreshes them."""
    of_month = month_last_day(month.month)
    lines = reverse("portal:month-lines", args=[month.month])
    people = reverse("portal:visit-people", args=[month.month])
    query = f"area={village.code}&has={ALONE}"
    # counted by the list's own filter: title and list cannot differ
    alone = ElderFilterSet(QueryDict(query), queryset=Elder.objects.in_area(village.code)).qs
    behind, missed = _unmet(month, township), _not_applied(month, township)
    wanted = (
        (
            Role.VILLAGE_WORKER,
            village,
            f"本村有 {len(alone)} 位独居老人，请优先探访",
            f"{reverse('portal:elder-list')}?{query}",
            of_month,
            len(alone),
        ),
        (
            Role.TOWNSHIP_CLERK,
            township,
            f"{missed} 人次符合条件但未申请，请上门告知",
            f"{lines}?outcome={Outcome.NOT_APPLIED}&area={township.code}",
            today + timedelta(days=7),
            missed,
        ),
        (
            Role.TOWNSHIP_CLERK,
            township,
            f"{township.name}本月还有 {behind} 位老人未探访，请督促各村",
            f"{people}?area={township.code}",
            of_month,
            behind,
        ),
        *_with_bank(county, today),
    )
    for number, (role, area, title, link, due, count) in enumerate(wanted):
        if count:
            key = f"demo:{number}"
            todo_raise(key=key, role=role, area=area, title=title, link=link, due=due)
    return sum(bool(each[-1]) for each in wanted)


def _with_bank(county: Area, today: date) -> Iterator[tuple[Role, Area, str, str, date, int]]:
    """Batches that wait for the fictional bank, which answers only when it is asked to."""
    for batch in Batch.objects.filter(county_code=county.code, state=BatchState.SENT).order_by("number"):
        title = f"批次 {batch.number} 已报银行，请导入演示银行的回盘（由系统管理员在服务器上生成）"
        yield Role.FINANCE, county, title, reverse("portal:batch-detail", args=[batch.pk]), today, batch.lines


def _unmet(month: Month, area: Area) -> int:
    """Elders of the area still to be visited this month, as the month's page of visits counts them."""
    open_ones = Obligation.objects.filter(month=month.month, met=False, exempt_from=None)
    return open_ones.in_area(area.code).count()


def _not_applied(month: Month, township: Area) -> int:
    lines = Entitlement.objects.of(month).in_area(township.code)
    return lines.filter(outcome=Outcome.NOT_APPLIED).count()
