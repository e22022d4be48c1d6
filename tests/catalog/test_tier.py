"""Tiers that the county keeps itself: new versions, ends, withdrawals, and what a pack does afterwards."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Document, VisitTier
from catalog.pack import PackError
from catalog.services.pack import pack_load
from catalog.services.publication import PackResult
from catalog.services.tier import TierDraft, tier_end, tier_set, tier_withdraw
from operations.commands import Refused
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import User
from tests.catalog.packs import COUNTY, pack
from tests.conftest import make_user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def month(ahead: int) -> date:
    """The first day of a month, so many ahead."""
    months = timezone.localdate().year * 12 + timezone.localdate().month - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


TIER = {
    "code": "month", "name": "每月探访", "rule": "独居", "times": 1, "per": "月",
    "modes": ["上门", "电话"], "in_person": 0, "order": 2, "from": date(2024, 1, 1),
}  # fmt: skip
DRAFT = TierDraft(
    code="month", name="每月探访", rule="独居 或 空巢", times=1, per="月", modes=("上门", "电话"),
    in_person=0, grace_days=0, order=2,
)  # fmt: skip


def load(*changes: tuple[str, Any]) -> PackResult:
    return pack_load(pack=pack(("visit_tiers", [TIER]), *changes))


@pytest.fixture
def document() -> Document:
    """A county's list with one tier."""
    load()
    return Document.objects.get()


@pytest.fixture
def clerk(document: Document) -> User:
    return make_user("clerk", Role.BUREAU_CLERK, COUNTY)


def periods(code: str = "month") -> list[tuple[date, date | None]]:
    rows = VisitTier.objects.filter(code=code).order_by("valid")
    return [(row.valid.lower, row.valid.upper) for row in rows]


def test_a_new_version_ends_the_former_the_day_before(document: Document, clerk: User) -> None:
    tier_set(document=document, draft=DRAFT, since=month(1), actor=clerk)
    assert periods() == [(date(2024, 1, 1), month(1)), (month(1), None)]
    assert VisitTier.objects.get(valid__startswith=date(2024, 1, 1)).rule == "独居"


def test_a_version_planned_for_the_same_day_is_replaced(document: Document, clerk: User) -> None:
    first = tier_set(document=document, draft=DRAFT, since=month(1), actor=clerk)
    second = tier_set(document=document, draft=replace(DRAFT, times=2), since=month(1), actor=clerk)
    assert (second.pk, second.times, len(periods())) == (first.pk, 2, 2)


def test_a_version_planned_for_later_stays_and_ends_the_new_one(document: Document, clerk: User) -> None:
    tier_set(document=document, draft=replace(DRAFT, times=2), since=month(3), actor=clerk)
    tier_set(document=document, draft=DRAFT, since=month(1), actor=clerk)
    assert periods() == [(date(2024, 1, 1), month(1)), (month(1), month(3)), (month(3), None)]


def test_a_new_tier_begins_on_its_day(document: Document, clerk: User) -> None:
    tier_set(document=document, draft=replace(DRAFT, code="week", order=1), since=month(2), actor=clerk)
    assert periods("week") == [(month(2), None)]


def test_a_tier_ends_with_a_month(document: Document, clerk: User) -> None:
    tier_end(document=document, code="month", since=month(1), actor=clerk)
    assert periods() == [(date(2024, 1, 1), month(1))]


def test_a_planned_version_is_taken_back_and_the_former_goes_on(document: Document, clerk: User) -> None:
    planned = tier_set(document=document, draft=DRAFT, since=month(1), actor=clerk)
    tier_withdraw(tier=planned, actor=clerk)
    assert periods() == [(date(2024, 1, 1), None)]


def test_every_change_is_audited(document: Document, clerk: User) -> None:
    planned = tier_set(document=document, draft=DRAFT, since=month(1), actor=clerk)
    tier_withdraw(tier=planned, actor=clerk)
    tier_end(document=document, code="month", since=month(1), actor=clerk)
    actions = AuditEntry.objects.filter(actor=clerk).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["设置探访层级", "撤回探访层级版本", "停用探访层级"]


@pytest.mark.parametrize("since", [month(0), month(1) + DAY, month(-1)])
def test_a_day_that_is_not_the_first_of_a_coming_month_is_refused(
    document: Document, clerk: User, since: date
) -> None:
    with pytest.raises(Refused, match="以后某个月的 1 日"):
        tier_set(document=document, draft=DRAFT, since=since, actor=clerk)
    with pytest.raises(Refused, match="以后某个月的 1 日"):
        tier_end(document=document, code="month", since=since, actor=clerk)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("独居 或", "条件第 1 行第 5 列：规则没有写完"),
        ("独居\n且 孤寡", "条件第 2 行第 3 列："),
        ("年龄 >= '八十'", "条件第 1 行第"),
    ],
)
def test_a_faulty_rule_is_refused_with_its_place(
    document: Document, clerk: User, rule: str, said: str
) -> None:
    with pytest.raises(Refused) as caught:
        tier_set(document=document, draft=replace(DRAFT, rule=rule), since=month(1), actor=clerk)
    assert str(caught.value).startswith(said)
    assert periods() == [(date(2024, 1, 1), None)]


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        (replace(DRAFT, rule="独居"), "没有不同"),
        (replace(DRAFT, in_person=1, modes=("电话",)), "方式里就要有上门"),
    ],
)
def test_a_draft_that_makes_no_sense_is_refused(
    document: Document, clerk: User, draft: TierDraft, said: str
) -> None:
    with pytest.raises(Refused, match=said):
        tier_set(document=document, draft=draft, since=month(1), actor=clerk)


def test_what_is_in_force_is_not_taken_back(document: Document, clerk: User) -> None:
    with pytest.raises(Refused, match="已经执行"):
        tier_withdraw(tier=VisitTier.objects.get(), actor=clerk)


def test_a_tier_with_a_planned_version_or_an_end_is_not_ended(document: Document, clerk: User) -> None:
    planned = tier_set(document=document, draft=DRAFT, since=month(2), actor=clerk)
    with pytest.raises(Refused, match="先撤回"):
        tier_end(document=document, code="month", since=month(1), actor=clerk)
    tier_withdraw(tier=planned, actor=clerk)
    tier_end(document=document, code="month", since=month(1), actor=clerk)
    with pytest.raises(Refused, match="已不执行"):
        tier_end(document=document, code="month", since=month(1), actor=clerk)


# what the same pack does when it is loaded again


def stands(document: Document) -> list[dict[str, Any]]:
    return [dict(row) for row in VisitTier.objects.order_by("pk").values()]


def test_the_same_pack_leaves_the_countys_new_version_alone(document: Document, clerk: User) -> None:
    tier_set(document=document, draft=DRAFT, since=month(1), actor=clerk)
    before = stands(document)
    assert (load().created, stands(document)) == (0, before)


def test_the_same_pack_does_not_bring_back_what_the_county_ended(document: Document, clerk: User) -> None:
    tier_end(document=document, code="month", since=month(1), actor=clerk)
    before = stands(document)
    assert (load().created, stands(document)) == (0, before)


def test_the_same_pack_names_the_countys_own_tier_and_leaves_it(document: Document, clerk: User) -> None:
    tier_set(document=document, draft=replace(DRAFT, code="week"), since=month(1), actor=clerk)
    assert load().absent == ["visit_tiers[week]"]
    assert periods("week") == [(month(1), None)]


def test_a_pack_with_a_later_version_follows_the_countys(document: Document, clerk: User) -> None:
    tier_set(document=document, draft=DRAFT, since=month(1), actor=clerk)
    later = TIER | {"from": month(3), "times": 2}
    load(("visit_tiers", [later]))
    assert periods() == [(date(2024, 1, 1), month(1)), (month(1), month(3)), (month(3), None)]


def test_a_pack_that_would_come_before_the_countys_version_is_refused(
    document: Document, clerk: User
) -> None:
    tier_set(document=document, draft=DRAFT, since=month(3), actor=clerk)
    earlier = TIER | {"from": month(1), "times": 2}
    with pytest.raises(PackError) as caught:
        load(("visit_tiers", [earlier]))
    assert f"{month(3)} 起的版本已发布" in caught.value.faults[0]
