"""Nightly upkeep of the visit figures."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from visits.models import Obligation
from visits.services.obligation import obligations_refresh


@shared_task
def obligations_refresh_recent() -> int:
    """Bring this and last month's obligations in line with deaths, moves and visits; return how many changed."""
    month = timezone.localdate().replace(day=1)
    months = [month, (month - timedelta(days=1)).replace(day=1)]
    opened = Obligation.objects.filter(month__in=months).values_list("month", "county_code").distinct()
    return sum(obligations_refresh(month=day, county_code=county) for day, county in sorted(opened))
