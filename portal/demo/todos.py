"""What the demonstration's users find on their desks: real counts of the newest month."""

from datetime import date, timedelta

from django.db.models import QuerySet
from django.urls import reverse

from eldercare.choices import Kind
from eldercare.facts import month_last_day
from eldercare.models import Circumstance
from operations.services.todo import todo_raise
from organization.choices import Role
from organization.models import Area
from subsidies.choices import LineKind, Outcome
from subsidies.models import Adjustment, Entitlement, Month
from visits.models import Obligation

CARD_NOTICE = timedelta(days=60)


def todos_raise(*, month: Month, county: Area, township: Area, village: Area, today: date) -> int:
    """Open the to-dos of the demonstration; return how many. The same again refreshes them."""
    of_month = month_last_day(month.month)
    page = reverse("portal:month-detail", args=[month.month])
    unmet, expiring, missed = (
        _unmet(month, village),
        _expiring(township, today),
        _not_applied(month, township),
    )
    recoveries = Adjustment.objects.filter(run=month, kind=LineKind.RECOVERY).count()
    wanted = (
        (
            Role.VILLAGE_WORKER,
            village,
            f"本月还有 {unmet} 位老人未探访",
            reverse("portal:elder-list"),
            of_month,
            unmet,
        ),
        (
            Role.TOWNSHIP_CLERK,
            township,
            f"{missed} 人次符合条件但未申请，请上门告知",
            f"{reverse('portal:month-lines', args=[month.month])}?outcome={Outcome.NOT_APPLIED}",
            today + timedelta(days=7),
            missed,
        ),
        (
            Role.TOWNSHIP_CLERK,
            township,
            f"{expiring} 位老人的残疾证 60 天内到期，请提醒换证",
            f"{reverse('portal:elder-list')}?area={township.code}",
            today + timedelta(days=14),
            expiring,
        ),
        (
            Role.BUREAU_CLERK,
            county,
            f"{recoveries} 笔追缴待核实",
            reverse("portal:month-adjustments", args=[month.month]),
            today + timedelta(days=5),
            recoveries,
        ),
        (
            Role.BUREAU_CHIEF,
            county,
            f"审阅 {month.month:%Y年%m月} 核定结果",
            page,
            today + timedelta(days=3),
            1,
        ),
        (Role.FINANCE, county, f"核对 {month.month:%Y年%m月} 应发金额", page, of_month, 1),
    )
    for number, (role, area, title, link, due, count) in enumerate(wanted):
        if count:
            key = f"demo:{number}"
            todo_raise(key=key, role=role, area=area, title=title, link=link, due=due)
    return sum(bool(each[-1]) for each in wanted)


def _unmet(month: Month, village: Area) -> int:
    open_ones = Obligation.objects.filter(month=month.month, met=False, exempt_from=None)
    return open_ones.filter(area_code=village.code).count()


def _expiring(township: Area, today: date) -> int:
    """Elders of the township whose disability card runs out soon."""
    cards: QuerySet[Circumstance] = Circumstance.objects.filter(
        kind=Kind.DISABILITY_LEVEL, elder__hukou_code__startswith=township.prefix
    )
    return cards.filter(valid__endswith__range=(today, today + CARD_NOTICE)).count()


def _not_applied(month: Month, township: Area) -> int:
    lines = Entitlement.objects.of(month).in_area(township.code)
    return lines.filter(outcome=Outcome.NOT_APPLIED).count()
