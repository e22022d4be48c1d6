"""The month's rate: who counts, how it is divided and rounded."""

import csv
import json
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from eldercare.choices import Kind
from eldercare.models import Elder
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Assignment, User
from tests.registry import add, make_elder
from tests.visits.conftest import (
    COUNTY,
    MARCH,
    TOWN_A,
    VILLAGE_A1,
    VILLAGE_A2,
    VILLAGE_B1,
    TierMaker,
    open_month,
    refresh,
    visit,
)
from tests.visits.files import csv_bytes, row
from visits.models import Obligation
from visits.selectors import BY, By, RateRow, obligation_list, rate_of, visit_rate

pytestmark = pytest.mark.django_db
ELSEWHERE = "530302001001"


@pytest.mark.parametrize(
    ("visited", "obliged", "rate"),
    [
        (9996, 10000, Decimal("99.9")),
        (9999, 10000, Decimal("99.9")),
        (999, 1000, Decimal("99.9")),
        (10000, 10000, Decimal("100.0")),
        (2, 3, Decimal("66.6")),
        (1, 3, Decimal("33.3")),
        (0, 7, Decimal("0.0")),
        (0, 0, None),
    ],
)
def test_the_rate_is_rounded_down(visited: int, obliged: int, rate: Decimal | None) -> None:
    assert rate_of(visited, obliged) == rate


@pytest.fixture
def elders(tier: TierMaker) -> dict[str, Elder]:
    """Five obliged elders in three villages and outside, one visited in each of two villages."""
    tier("month", rule="户籍在本县")
    tier("alone", rule="独居", order=1)
    found = {
        "a": make_elder(date(1950, 5, 5), hukou=VILLAGE_A1),
        "b": make_elder(date(1950, 5, 5), hukou=VILLAGE_A1, lives_alone=True),
        "c": make_elder(date(1950, 5, 5), hukou=VILLAGE_A2),
        "d": make_elder(date(1950, 5, 5), hukou=VILLAGE_B1),
        "e": make_elder(date(1950, 5, 5), hukou=VILLAGE_B1, residence=ELSEWHERE),
    }
    open_month()
    visit(found["a"], "2026-03-10")
    visit(found["c"], "2026-03-10")
    refresh()
    return found


def rates(by: By) -> list[tuple[str, str, int, int]]:
    return [
        (r.code, r.name, r.obliged, r.visited) for r in visit_rate(month=MARCH, county_code=COUNTY, by=by)
    ]


def test_the_rate_of_the_county(elders: dict[str, Elder]) -> None:
    assert rates("county") == [(COUNTY, "测试县", 5, 2)]


def test_the_rate_by_township(elders: dict[str, Elder]) -> None:
    assert rates("township") == [
        ("530302001000", "", 1, 0),
        (TOWN_A, "甲镇", 3, 2),
        ("530322102000", "乙镇", 1, 0),
    ]


def test_the_rate_by_village(elders: dict[str, Elder]) -> None:
    assert rates("village") == [
        (ELSEWHERE, "", 1, 0),
        (VILLAGE_A1, "甲一村", 2, 1),
        (VILLAGE_A2, "甲二村", 1, 1),
        (VILLAGE_B1, "乙一村", 1, 0),
    ]


def test_the_rate_by_tier(elders: dict[str, Elder]) -> None:
    assert rates("tier") == [("alone", "alone", 1, 0), ("month", "month", 4, 2)]


def test_every_division_adds_up_to_the_same(elders: dict[str, Elder]) -> None:
    sums = {(sum(r[2] for r in rates(by)), sum(r[3] for r in rates(by))) for by in BY}
    assert sums == {(5, 2)}


def test_who_is_exempt_is_in_neither(elders: dict[str, Elder]) -> None:
    add(elders["d"], Kind.DEATH, "是", date(2026, 3, 9))
    refresh()
    assert visit_rate(month=MARCH, county_code=COUNTY, by="village")[-1] == RateRow(
        VILLAGE_B1, "乙一村", 0, 0
    )
    assert rates("county") == [(COUNTY, "测试县", 4, 2)]


def test_where_nobody_is_obliged_there_is_no_rate() -> None:
    assert RateRow(VILLAGE_B1, "乙一村", 0, 0).rate is None


def test_another_county_is_left_out(elders: dict[str, Elder]) -> None:
    assert visit_rate(month=MARCH, county_code="530323000000", by="county") == []


def test_the_list_shows_everyone_by_area(elders: dict[str, Elder]) -> None:
    rows = obligation_list(month=MARCH, county_code=COUNTY)
    assert [r.elder for r in rows] == [elders[key] for key in "eabcd"]


@pytest.mark.parametrize(("area", "seen"), [(TOWN_A, "abc"), (VILLAGE_A2, "c"), (COUNTY, "abcde")])
def test_a_user_sees_the_obligations_of_the_own_area(elders: dict[str, Elder], area: str, seen: str) -> None:
    user = User.objects.create(username="clerk")
    Assignment.objects.create(user=user, role=Role.TOWNSHIP_CLERK, area_id=area)
    rows = Obligation.objects.visible_to(user).order_by("elder_id")
    assert [r.elder for r in rows] == [elders[key] for key in seen]


def test_a_user_without_area_sees_none(elders: dict[str, Elder]) -> None:
    assert not Obligation.objects.visible_to(User.objects.create(username="nobody")).exists()


def command(*args: str) -> dict[str, Any]:
    out = StringIO()
    call_command(*args, stdout=out, stderr=StringIO())
    answer: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return answer


def table(path: Path) -> list[list[str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    return list(csv.reader(path.read_text("utf-8-sig").splitlines()))


def test_the_rate_is_written_as_plain_numbers(elders: dict[str, Elder], tmp_path: Path) -> None:
    add(elders["d"], Kind.DEATH, "是", date(2026, 3, 9))
    command("visit_rate", "2026-03", "--by", "village", "--output", str(tmp_path / "F.csv"))
    assert table(tmp_path / "F.csv") == [
        ["编码", "名称", "应访人数", "已访人数", "探访率"],
        [ELSEWHERE, "", "1", "0", "0.0"],
        [VILLAGE_A1, "甲一村", "2", "1", "50.0"],
        [VILLAGE_A2, "甲二村", "1", "1", "100.0"],
        [VILLAGE_B1, "乙一村", "0", "0", ""],
    ]


def test_obligations_are_written_with_their_state(elders: dict[str, Elder], tmp_path: Path) -> None:
    add(elders["d"], Kind.MOVED_OUT, "是", date(2026, 3, 9))
    answer = command("export_obligations", "2026-03", "--output", str(tmp_path / "F.csv"))
    header, *rows = table(tmp_path / "F.csv")
    number = {key: elder.id_number for key, elder in elders.items()}
    assert header == [
        "身份证号码",
        "区划代码",
        "层级编码",
        "应访次数",
        "已访次数",
        "已达标",
        "免访起",
        "免访原因",
    ]
    assert rows == [
        [number["e"], ELSEWHERE, "month", "1", "0", "否", "", ""],
        [number["a"], VILLAGE_A1, "month", "1", "1", "是", "", ""],
        [number["b"], VILLAGE_A1, "alone", "1", "0", "否", "", ""],
        [number["c"], VILLAGE_A2, "month", "1", "1", "是", "", ""],
        [number["d"], VILLAGE_B1, "month", "1", "0", "免访", "2026-03-09", "迁出"],
    ]
    assert answer["rows"] == 5


def test_the_export_of_full_numbers_is_audited(elders: dict[str, Elder], tmp_path: Path) -> None:
    command("export_obligations", "2026-03", "--output", str(tmp_path / "F.csv"))
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.data) == ("导出探访任务", {"rows": 5, "full_id": True})


@pytest.mark.parametrize(
    "args", [("visit_rate", "2026-05", "--by", "tier"), ("export_obligations", "2026-05")]
)
def test_a_month_that_was_never_opened_is_refused(
    elders: dict[str, Elder], tmp_path: Path, args: tuple[str, ...]
) -> None:
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command(*args, "--output", str(tmp_path / "F.csv"), stdout=out, stderr=err)
    assert stop.value.code == 1
    assert err.getvalue().strip() == "2026年05月还没有核定，没有探访任务；请先运行 run_month 2026-05"
    assert not (tmp_path / "F.csv").exists()


def test_a_month_in_which_nobody_is_obliged_is_written_empty(tier: TierMaker, tmp_path: Path) -> None:
    tier(rule="独居")
    make_elder(date(1950, 5, 5))
    open_month()
    assert command("export_obligations", "2026-03", "--output", str(tmp_path / "F.csv"))["rows"] == 0


def test_an_unknown_division_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        command("visit_rate", "2026-03", "--by", "street", "--output", str(tmp_path / "F.csv"))


def test_the_import_command_prints_its_counts(elders: dict[str, Elder], tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    same = row(elders["b"])
    path.write_bytes(csv_bytes(same, same))
    assert command("import_visits", str(path)) == {
        "rows": 2, "created": 1, "duplicates": 1, "errors": 0, "warnings": 0,
    }  # fmt: skip


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    err = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("import_visits", str(tmp_path / "none.csv"), stdout=StringIO(), stderr=err)
    assert (stop.value.code, "读不了" in err.getvalue()) == (1, True)
