"""Deciding only who changed gives what deciding everyone anew gives: decisions, counts, households."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection

from catalog.models import Item
from eldercare.choices import Kind
from eldercare.models import Circumstance, Elder
from eldercare.services.monthly_facts import elders_touch
from operations.crypto import blind_index
from subsidies.choices import EnrolmentState
from subsidies.invariants import invariants_check
from subsidies.models import Adjustment, Enrolment, Entitlement, Month
from tests.registry import add, make_elder
from tests.subsidies.agreement import disagreements
from tests.subsidies.county import (
    ELSEWHERE,
    OTHER_VILLAGE,
    VILLAGE,
    counted,
    item,
    months,
    publish_list,
    run,
    snapshot,
)
from tests.subsidies.random_registry import people, store

pytestmark = pytest.mark.django_db(transaction=True)
SPAN = months(date(2025, 1, 1), date(2025, 3, 1))
VILLAGES = [VILLAGE, VILLAGE, "530322101202", OTHER_VILLAGE, "530322103201", ELSEWHERE]
VALUES = {
    Kind.LOW_INCOME_ALLOWANCE: "是",
    Kind.DESTITUTE: "分散",
    Kind.ABILITY_LEVEL: "3",
    Kind.DISABILITY_LEVEL: "1",
    Kind.LIVES_ALONE: "是",
}
CHANGES = ("fact", "fact", "fact", "lift", "move", "death", "birth", "new", "enrol", "house", "list")


def publish_items(amount: int = 50, since: date = date(2023, 1, 1), age: int = 80) -> None:
    """Every way in which an item may be decided."""
    publish_list(
        item("AGE", f"户籍在本县 且 年龄 >= {age}", amount=amount, **{"from": since}),
        item("CARE", "残疾等级 >= 1", start="当月", amount=[{"if": "残疾等级 = 1", "pay": 100}, {"pay": 40}]),
        item("POOR", "低保 或 特困供养 = '分散'", amount=70, start="当月", application="申请"),
        item("HOME", "低保 或 能力等级 >= 2", subject="家庭", form="服务", amount=None, start="当月"),
        item("BUS", "年龄 >= 60", track="计数", form="服务", amount=None, start="当月"),
        item("CLUB", "居住在本县 且 (独居 或 年龄 >= 70)", track="计数", form="服务", amount=None),
        exclusions=[{"code": "one", "strategy": "择高", "items": ["AGE", "CARE"], "from": date(2023, 1, 1)}],
    )


def set_fact(elder: Elder, kind: Kind, value: str, day: date) -> None:
    """Replace what is known of a kind by one value from a day on."""
    elder.circumstances.filter(kind=kind).delete()
    add(elder, kind, value, day)


def move(elder: Elder, village: str) -> None:
    """Register the elder in another village since ever."""
    elder.circumstances.filter(kind=Kind.RESIDENCE).delete()
    set_fact(elder, Kind.HUKOU, village, date(2020, 1, 1))
    Elder.objects.filter(pk=elder.pk).update(hukou_code=village, residence_code=village)


def enrol_somehow(random: Random, elder: Elder) -> None:
    """Give the elder another enrolment in place of the present one."""
    Enrolment.objects.filter(elder=elder).delete()
    Enrolment.objects.create(
        elder=elder,
        item=Item.objects.get(code="POOR"),
        first_month=random.choice(SPAN),
        state=random.choice([EnrolmentState.RECEIVING, EnrolmentState.SUSPENDED]),
    )
    elders_touch(elder_ids=[elder.pk])


def change_something(random: Random, step: int) -> None:
    """One change of the registry, of the enrolments or of the list."""
    elder = random.choice(list(Elder.objects.order_by("id")))
    row = Elder.objects.filter(pk=elder.pk)
    day = random.choice(SPAN) + timedelta(days=random.choice([-40, -1, 0, 1, 14]))
    match random.choice(CHANGES):
        case "fact":
            kind = random.choice(list(VALUES))
            set_fact(elder, kind, VALUES[kind], day)
        case "lift":
            Circumstance.objects.filter(elder=elder, kind__in=[*VALUES, Kind.DEATH, Kind.MOVED_OUT]).delete()
        case "move":
            move(elder, random.choice(VILLAGES))
        case "death":
            set_fact(elder, Kind.DEATH, "是", day)
        case "birth":
            row.update(
                birth_date=day.replace(year=day.year - random.choice([59, 60, 70, 80]), day=min(day.day, 28))
            )
        case "new":
            make_elder(date(1944, 1, random.randrange(1, 29)), hukou=random.choice(VILLAGES))
        case "enrol":
            enrol_somehow(random, elder)
        case "house":
            row.update(household_key=blind_index(f"家{random.randrange(9)}"))
        case "list":
            publish_items(50 + step, SPAN[0] + timedelta(days=step), age=random.choice([75, 80]))


def everything() -> list[tuple[Any, ...]]:
    """What readers see of all months."""
    return [
        (month.month, month.persons, snapshot(month), counted(month))
        for month in Month.objects.order_by("month")
    ]


Money = dict[tuple[int, int], Decimal]


def money(month: Month, revision: int | None = None) -> Money:
    """(elder, item) → 元 due at a revision."""
    rows = Entitlement.objects.of(month, revision).filter(outcome="应发")
    return {(row.elder_id, row.item_id): row.amount for row in rows if row.amount}


def paid(month: Month) -> Money:
    """(elder, item) → 元 settled for a month: its own lines and the due lines of later runs."""
    found: Money = defaultdict(Decimal, money(month, month.settled_revision))
    for line in Adjustment.objects.filter(month=month.month):
        found[line.elder_id, line.item_id] += line.amount
    return {key: amount for key, amount in found.items() if amount}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_sequence_of_changes_ends_where_deciding_everyone_from_scratch_ends(seed: int) -> None:
    random = Random(seed)  # noqa: S311  # test data, not secrets
    publish_items()
    store(people(60, seed, VILLAGES, SPAN))
    for month in SPAN:
        run(month)
    for step in range(1, 9):
        for change in range(random.choice([1, 1, 3])):
            change_something(random, 3 * step + change)
        area = random.choice([None, None, "530322101000"])
        run(SPAN[-1], area=area)
        if area is None:
            assert [disagreements(row) for row in Month.objects.all()] == [[], [], []]
        for past in Month.objects.exclude(month=SPAN[-1]):
            assert paid(past) == money(past)
    run(SPAN[-1])
    incremental = everything()
    assert [finding.name for finding in invariants_check() if finding.broken] == []
    Month.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE eldercare_monthlyfacts, subsidies_entitlement, visits_obligation CASCADE")
    for month in SPAN:
        run(month)
    assert incremental == everything()
