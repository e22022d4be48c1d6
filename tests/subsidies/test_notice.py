"""Public notice of a batch: what everyone sees, on which days, and how it ends (domain §8)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Item
from organization.models import Area, Letterhead
from subsidies.choices import BatchState
from subsidies.models import Batch
from subsidies.notice import Notice, notice_get, notice_lines, notice_townships, notices_open
from subsidies.services.batch_step import batch_approve, batch_confirm
from subsidies.services.notice import notices_end
from subsidies.services.objection import objection_record, payment_hold
from subsidies.tasks import notices_end_daily
from tests.subsidies.batches import (
    ELSEWHERE,
    JUNE,
    TOWN_A,
    TOWN_B,
    draft,
    elder_in,
    line,
    publish_items,
    walk,
)
from tests.subsidies.county import LULIANG, OTHER_VILLAGE, VILLAGE
from tests.subsidies.money import Staff, staff

pytestmark = pytest.mark.django_db
APPROVED = datetime(2024, 11, 20, 2, 0, tzinfo=UTC)  # 10:00 in the county
TWENTIETH = date(2024, 11, 20)


@pytest.fixture
def people(db: None) -> Staff:
    """Items with a notice of 7 days, who handles money, and the names of villages."""
    publish_items(notice_days=7)
    found = staff()
    Area.objects.filter(code=LULIANG).update(name="测试县")
    for code, name, parent in ((VILLAGE, "甲一村", TOWN_A), (OTHER_VILLAGE, "乙一村", TOWN_B)):
        Area.objects.create(code=code, name=name, parent_id=f"{parent}000")
    return found


@pytest.fixture
def batch(people: Staff, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """Three lines, approved on 20 November 2024."""
    made = draft(
        people,
        (elder_in(VILLAGE, "张小三"), "POOR", "50.00"),
        (elder_in(OTHER_VILLAGE, "李四"), "POOR", "70.00"),
        (elder_in(ELSEWHERE, "欧阳外住"), "CARE", "30.00"),
    )
    walk(made, people, BatchState.APPROVAL)
    at(monkeypatch, APPROVED)
    return batch_approve(batch_id=made.pk, actor=people.chief)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Set the server's clock, which runs in UTC."""
    monkeypatch.setattr(timezone, "now", lambda: moment)


def shown(batch: Batch, today: date = TWENTIETH) -> Notice:
    assert batch.notice_key is not None
    found = notice_get(key=batch.notice_key, today=today)
    assert found is not None
    return found


def test_a_list_shows_masked_name_village_item_month_and_sum_and_nothing_else(batch: Batch) -> None:
    rows = notice_lines(notice=shown(batch))
    assert [vars(row) for row in rows] == [
        {"number": 1, "name": "张*三", "village": "甲一村", "item": "项目POOR"}
        | {"month": JUNE, "amount": Decimal("50.00")},
        {"number": 2, "name": "李*", "village": "乙一村", "item": "项目POOR"}
        | {"month": JUNE, "amount": Decimal("70.00")},
        {"number": 3, "name": "欧**住", "village": "县外", "item": "项目CARE"}
        | {"month": JUNE, "amount": Decimal("30.00")},
    ]


def test_numbers_accounts_and_health_are_not_even_read(batch: Batch) -> None:
    notice = shown(batch)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        notice_lines(notice=notice)
    read = " ".join(query["sql"].split(" FROM ")[0] for query in queries)
    for column in ("id_number", "id_last4", "account", "holder", "bank", "phone", "offset", "birth_date"):
        assert column not in read


def test_what_is_kept_back_from_a_line_is_nobodys_business(people: Staff, batch: Batch) -> None:
    elder = elder_in(VILLAGE)
    line(batch, elder, Item.objects.get(code="CARE"), "40.00", number=4, offset="40.00")
    amounts = {row.number: row.amount for row in notice_lines(notice=shown(batch))}
    assert amounts[4] == Decimal("40.00")


def test_a_list_names_its_county_days_and_whom_to_call(batch: Batch) -> None:
    Letterhead.objects.create(area_id=LULIANG, unit="测试县民政局", phone="0874-0000000")
    notice = shown(batch)
    assert (notice.county, notice.office, notice.hotline) == ("测试县", "测试县民政局", "0874-0000000")
    assert (notice.first, notice.last) == (TWENTIETH, date(2024, 11, 27))
    assert (notice.lines, notice.amount) == (3, Decimal("150.00"))


@pytest.mark.parametrize(("day", "seen"), [(19, False), (20, True), (27, True), (28, False)])
def test_a_list_is_seen_from_its_first_to_its_last_day(batch: Batch, day: int, seen: bool) -> None:
    today = date(2024, 11, day)
    assert batch.notice_key is not None
    assert (notice_get(key=batch.notice_key, today=today) is not None) == seen
    assert bool(notices_open(today=today)) == seen


def test_a_batch_sent_back_is_no_longer_shown(people: Staff, batch: Batch) -> None:
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.VOID)
    assert batch.notice_key is not None
    assert notice_get(key=batch.notice_key, today=TWENTIETH) is None


def test_an_unknown_key_shows_nothing(batch: Batch) -> None:
    assert notice_get(key=uuid4(), today=TWENTIETH) is None


def test_lists_of_another_county_are_not_among_the_countys(batch: Batch) -> None:
    assert len(notices_open(today=TWENTIETH, county_code=LULIANG)) == 1
    assert notices_open(today=TWENTIETH, county_code="530324000000") == []


def test_a_line_under_objection_stays_in_the_list_and_one_held_before_approval_is_not_in_it(
    people: Staff, batch: Batch
) -> None:
    objection_record(payment_id=batch.payments.get(number=1).pk, text="不符", actor=people.lead_a)
    payment_hold(payment_id=batch.payments.get(number=2).pk, reason="核实", actor=people.chief)
    assert [row.number for row in notice_lines(notice=shown(batch))] == [1, 3]


def test_a_list_opens_by_township(batch: Batch) -> None:
    notice = shown(batch)
    assert notice_townships(notice=notice) == [
        (TOWN_A, "甲镇", 1),
        (TOWN_B, "乙镇", 1),
        ("", "县外", 1),
    ]
    for township, _, lines in notice_townships(notice=notice):
        assert len(notice_lines(notice=notice, township=township)) == lines


def test_a_long_list_is_read_by_pages(batch: Batch) -> None:
    notice = shown(batch)
    pages = [notice_lines(notice=notice, start=start, size=2) for start in (0, 2, 4)]
    assert [[row.number for row in page] for page in pages] == [[1, 2], [3], []]


@pytest.mark.parametrize(
    ("moment", "ended"),
    [
        (datetime(2024, 11, 27, 15, 59, tzinfo=UTC), 0),  # 23:59 on the last day in the county
        (datetime(2024, 11, 27, 16, 0, tzinfo=UTC), 1),  # midnight in the county, still the last day in UTC
    ],
)
def test_a_notice_ends_at_midnight_in_the_county_whatever_the_servers_clock(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, moment: datetime, ended: int
) -> None:
    at(monkeypatch, moment)
    assert notices_end_daily() == ended
    batch.refresh_from_db()
    assert (batch.state == BatchState.FINANCE) == bool(ended)


def test_the_day_of_approval_is_the_countys(people: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = walk(draft(people, (elder_in(VILLAGE), "POOR", "50")), people, BatchState.APPROVAL)
    at(monkeypatch, datetime(2024, 11, 20, 17, 0, tzinfo=UTC))
    approved = batch_approve(batch_id=batch.pk, actor=people.chief)
    assert approved.notice_from == date(2024, 11, 21)


def test_finance_confirms_after_the_last_day_even_if_nothing_ran_at_night(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, datetime(2024, 11, 28, 1, 0, tzinfo=UTC))
    assert batch_confirm(batch_id=batch.pk, actor=people.finance).state == BatchState.CONFIRMED
    actions = list(batch.steps.values_list("action", flat=True))
    assert actions[-2:] == ["公示期满", "财政确认"]


def test_ending_notices_twice_ends_each_once(batch: Batch) -> None:
    after = TWENTIETH + timedelta(days=8)
    assert (notices_end(today=after), notices_end(today=after)) == (1, 0)
    assert batch.steps.filter(action="公示期满").count() == 1
