"""Nightly upkeep of the visit figures."""

from datetime import timedelta

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from visits.choices import DEPARTURE_KINDS, DEPARTURE_RESULTS, OPEN_FOLLOW_UP, FollowUpKind
from visits.models import FollowUp, Obligation, Visit
from visits.services.caseload import obligations_assign
from visits.services.follow_up import follow_ups_refresh
from visits.services.obligation import obligations_refresh
from visits.services.urge import urges_end

#: Elders whose follow-ups are refreshed in one transaction.
AT_ONCE = 500


@shared_task
def obligations_refresh_recent() -> int:
    """Bring this and last month's obligations in line with deaths, moves and visits; return how many changed."""
    month = timezone.localdate().replace(day=1)
    months = [month, (month - timedelta(days=1)).replace(day=1)]
    opened = Obligation.objects.filter(month__in=months).values_list("month", "county_code").distinct()
    return sum(obligations_refresh(month=day, county_code=county) for day, county in sorted(opened))


@shared_task
def obligations_assign_daily() -> int:
    """Let caseloads that begin or end today, new and leaving workers take effect; return how many people moved.

    Closes what was urged and needs no urging any more.
    """
    today = timezone.localdate()
    urges_end(today=today)
    return obligations_assign(month=today.replace(day=1))


@shared_task
def follow_ups_refresh_open() -> int:
    """Settle what was registered by others since, and take up reports from before; return how many elders it was."""
    waiting = FollowUp.objects.filter(state__in=OPEN_FOLLOW_UP).exclude(kind=FollowUpKind.REFERRAL)
    told = Visit.objects.standing().filter(result__in=DEPARTURE_RESULTS)
    unheard = told.exclude(elder__in=FollowUp.objects.filter(kind__in=DEPARTURE_KINDS).values("elder"))
    elder_ids = sorted(
        {*waiting.values_list("elder_id", flat=True), *unheard.values_list("elder_id", flat=True)}
    )
    for start in range(0, len(elder_ids), AT_ONCE):
        with transaction.atomic():
            follow_ups_refresh(elder_ids=elder_ids[start : start + AT_ONCE], now=timezone.now())
    return len(elder_ids)
