"""Single changes follow the same rule as rosters."""

from datetime import date
from itertools import product
from typing import Any

import pytest

from eldercare.choices import Kind
from eldercare.models import Circumstance, Elder
from eldercare.services.circumstance import circumstance_set, elder_areas_refresh
from tests.eldercare.rosters import OTHER_VILLAGE, elder_of, held, imported, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("villages")]

DAYS = [date(2025, 6, 1), date(2026, 3, 1), date(2026, 6, 1), date(2026, 9, 1), date(2026, 12, 1)]


def single(kind: Kind, value: str | None, starts: date) -> Circumstance | None:
    return circumstance_set(elder=elder_of(person()), kind=kind, value=value, starts=starts, source="试")


@pytest.mark.parametrize(("day", "value"), list(product(DAYS, ["分散", "集中", None])))
def test_a_single_change_does_what_a_roster_does(day: date, value: str | None) -> None:
    """The registry knows 分散 from March to September, then nothing until 集中 from December."""
    results = []
    for way in ("single", "roster"):
        Elder.objects.all().delete()
        imported(person(特困供养="分散"), as_of=date(2026, 3, 1))
        imported(person(特困供养=""), as_of=date(2026, 9, 1))
        imported(person(特困供养="集中"), as_of=date(2026, 12, 1))
        if way == "single":
            single(Kind.DESTITUTE, value, day)
        else:
            imported(person(特困供养=value or ""), as_of=day)
        results.append(held(person(), "destitute"))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("cells", "kind", "value", "day"),
    [
        ({"死亡日期": "2026-02-01"}, Kind.DEATH, "是", date(2026, 2, 1)),
        ({"死亡日期": "2026-03-01"}, Kind.DEATH, "是", date(2026, 3, 1)),
        ({"死亡日期": ""}, Kind.DEATH, None, date(2026, 6, 1)),
        ({"迁出日期": "2026-01-15"}, Kind.MOVED_OUT, "是", date(2026, 1, 15)),
        ({"迁出日期": ""}, Kind.MOVED_OUT, None, date(2026, 6, 1)),
        ({"能力等级": "2", "评估日期": "2026-05-01"}, Kind.ABILITY_LEVEL, "2", date(2026, 5, 1)),
        ({"能力等级": "2", "评估日期": "2025-05-01"}, Kind.ABILITY_LEVEL, "2", date(2025, 5, 1)),
        ({"能力等级": "2", "评估日期": "2024-05-01"}, Kind.ABILITY_LEVEL, "2", date(2024, 5, 1)),
    ],
)
def test_events_and_assessments_do_so_too(
    cells: dict[str, Any], kind: Kind, value: str | None, day: date
) -> None:
    results = []
    for way in ("single", "roster"):
        Elder.objects.all().delete()
        imported(person(死亡日期="2026-02-01", 迁出日期="2026-02-01", 能力等级="2", 评估日期="2025-05-01"))
        if way == "single":
            single(kind, value, day)
        else:
            imported(person(**cells), as_of=date(2026, 6, 1))
        results.append(held(person(), kind))
    assert results[0] == results[1]


def test_saying_the_same_again_changes_nothing() -> None:
    imported(person(低保="是"))
    assert single(Kind.LOW_INCOME_ALLOWANCE, "是", date(2026, 6, 1)) is None
    assert single(Kind.HOMELESS, None, date(2026, 6, 1)) is None


def test_a_known_end_is_kept_within_what_is_known_later() -> None:
    imported(person(特困供养="分散"), as_of=date(2026, 6, 1))
    circumstance_set(
        elder=elder_of(person()),
        kind=Kind.DESTITUTE,
        value="集中",
        starts=date(2026, 1, 1),
        ends=date(2026, 9, 1),
        source="试",
    )
    assert held(person(), "destitute") == [("集中", "2026-01-01", "2026-06-01"), ("分散", "2026-06-01", "")]


def test_a_change_of_area_moves_the_elder() -> None:
    imported(person(), as_of=date(2020, 1, 1))
    single(Kind.HUKOU, OTHER_VILLAGE, date(2021, 1, 1))
    assert elder_of(person()).hukou_code == OTHER_VILLAGE


def test_a_change_that_has_come_today_is_found_by_the_daily_refresh() -> None:
    from django.utils import timezone

    imported(person(), as_of=date(2020, 1, 1))
    imported(person(户籍区划=OTHER_VILLAGE), as_of=timezone.localdate())
    Elder.objects.update(hukou_code="", residence_code="")
    elder_areas_refresh()
    assert elder_of(person()).hukou_code == OTHER_VILLAGE
