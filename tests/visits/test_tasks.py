"""The night brings late news into the visit figures."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from catalog.models import Document, VisitTier
from eldercare.choices import Kind
from organization.models import Area
from tests.registry import add, make_elder
from visits.choices import FollowUpState
from visits.models import FollowUp, Obligation, Visit
from visits.tasks import follow_ups_refresh_open, obligations_refresh_recent

pytestmark = pytest.mark.django_db


def obligation(month: date) -> Obligation:

    area, _ = Area.objects.get_or_create(code="530322000000", defaults={"name": "陆良县"})
    document, _ = Document.objects.get_or_create(
        code="test", defaults={"title": "清单", "issued": date(2023, 1, 1), "area": area}
    )
    tier, _ = VisitTier.objects.get_or_create(
        document=document,
        code="month",
        defaults={
            "name": "每月",
            "rule": "独居",
            "times": 1,
            "per": "月",
            "modes": ["上门"],
            "order": 1,
            "valid": DateRange(date(2023, 1, 1), None),
        },
    )
    elder = make_elder(date(1940, 1, 1))
    add(elder, Kind.DEATH, "是", month + timedelta(days=4))
    return Obligation.objects.create(
        month=month, county_code="530322000000", elder=elder, tier=tier, area_code="530322101201", due=1
    )


def test_a_death_in_this_month_exempts_overnight() -> None:
    month = timezone.localdate().replace(day=1)
    row = obligation(month)
    obligations_refresh_recent()
    row.refresh_from_db()
    assert (row.exempt_from, row.exempt_reason) == (month + timedelta(days=4), "死亡")


def test_a_month_before_the_last_is_left_alone() -> None:
    this = timezone.localdate().replace(day=1)
    row = obligation((this - timedelta(days=40)).replace(day=1))
    assert obligations_refresh_recent() == 0
    row.refresh_from_db()
    assert row.exempt_from is None


def reported(**more: object) -> Visit:
    """A visit told of a death; nothing has followed from it yet."""
    elder = make_elder(date(1940, 1, 1))
    return Visit.objects.create(
        id=uuid4(), elder=elder, at=timezone.now(), mode="上门", result="已故", visitor="测", **more
    )


def test_a_report_from_before_is_taken_up_overnight() -> None:
    event = reported()
    assert follow_ups_refresh_open() == 1
    assert FollowUp.objects.get().visit == event


def test_a_death_registered_by_others_settles_the_report_overnight() -> None:
    event = reported()
    follow_ups_refresh_open()
    add(event.elder, Kind.DEATH, "是", timezone.localdate())
    follow_ups_refresh_open()
    assert FollowUp.objects.get().state == FollowUpState.DONE
    assert follow_ups_refresh_open() == 0
