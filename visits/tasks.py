"""Nightly upkeep of the visit figures."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from visits.models import Obligation
from visits.services.caseload import obligations_assign
from visits.services.obligation import obligations_refresh
from visits.services.urge import urges_end


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
