"""What a visit may find: written in a pack, published by day, read with the county's own bureaus."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalog.models import FindingKind
from catalog.pack import PackError, read_pack
from catalog.policy import PolicyFinding
from catalog.selectors import finding_kinds
from catalog.services.pack import pack_load
from catalog.services.publication import PackResult
from organization.models import Area, Bureau
from tests.catalog.packs import COUNTY, faults, pack

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
VILLAGE = "990201101201"
NATION = {"code": "nation-2024", "title": "国家清单", "issued": date(2024, 1, 1), "area": "000000000000"}
FALL = {"code": "fall", "name": "摔倒", "group": "安全", "risk": "红", "bureau": "县民政", "hours": 24}
MEALS = {"code": "meals", "name": "需要助餐", "group": "需求", "hours": 240, "order": 1}


def load(*findings: dict[str, Any], **document: Any) -> PackResult:
    """Load the small list with these findings, as another document where one is given."""
    changes: list[tuple[str, Any]] = [("visit_findings", list(findings))]
    if document:
        changes += [("document", document), ("items", []), ("exclusions", [])]
    return pack_load(pack=pack(*changes))


def kinds(day: date = date(2026, 3, 1), area: str = VILLAGE) -> list[tuple[str, int, int | None]]:
    """(code, hours, bureau) of what a visit in the area may find."""
    return [(kind.code, kind.hours, kind.bureau_id) for kind in finding_kinds(area, day)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "跌"}, "code：“跌”只能由字母、数字"),
        ({"name": None}, "name：没有写"),
        ({"group": "其他"}, "group：“其他”不能用，可以写：健康、经济、安全、需求"),
        ({"risk": "蓝"}, "risk：“蓝”不能用，可以写：黄、红"),
        ({"hours": 0}, "hours：“0”应为 1 到 2160 的整数"),
        ({"hours": 2161}, "hours：“2161”应为 1 到 2160 的整数"),
        ({"hours": 25}, "hours：红色风险须在 24 小时内办理，现为 25"),
        ({"bureau": "县残联"}, "bureau：没有单位“县残联”"),
        ({"to": date(2023, 1, 1)}, "to：最后一天 2023-01-01 早于 from 2024-01-01"),
        ({"hour": 1}, "hour：没有这个键，是不是“hours”？"),
    ],
)
def test_a_faulty_finding_is_named_with_the_way_out(change: dict[str, Any], said: str) -> None:
    (fault,) = faults(("visit_findings", [FALL | change]))
    assert f".{said}" in fault


def test_a_code_may_stand_once() -> None:
    assert faults(("visit_findings", [MEALS, dict(MEALS)])) == (
        "visit_findings[meals]：编码“meals”写了两次；新版本请改 from 后再次载入，另一个项目请换编码",
    )


@pytest.mark.parametrize("hours", [1, 24])
def test_red_may_take_a_day_at_most(hours: int) -> None:
    assert faults(("visit_findings", [FALL | {"hours": hours}])) == ()


@pytest.mark.parametrize("hours", [25, 2160])
def test_what_is_not_red_may_take_longer(hours: int) -> None:
    assert faults(("visit_findings", [FALL | {"hours": hours, "risk": "黄"}])) == ()


@pytest.mark.parametrize("name", ["national", "chencang", "luliang"])
def test_a_shipped_list_has_at_most_sixteen_words_of_all_four_groups(name: str) -> None:
    findings = read_pack((FIXTURES / f"{name}.yaml").read_bytes()).findings
    assert len(findings) <= 16 and {finding.group.value for finding in findings} == {
        "健康",
        "经济",
        "安全",
        "需求",
    }


@pytest.mark.django_db
def test_findings_are_published_once_and_given_in_order() -> None:
    assert load(MEALS, FALL).created == 9
    assert load(MEALS, FALL).created == 0
    office = Bureau.objects.get(code="mzj")
    assert kinds() == [("fall", 24, office.pk), ("meals", 240, None)]


@pytest.mark.django_db
def test_the_name_of_a_bureau_in_place_of_its_alias_is_no_other_finding() -> None:
    load(FALL)
    assert load(FALL | {"bureau": "县民政局"}).created == 0


@pytest.mark.django_db
def test_a_later_version_ends_the_former_and_both_are_read_by_their_day() -> None:
    load(MEALS)
    load(MEALS | {"hours": 120, "from": date(2026, 3, 1)})
    assert kinds(date(2026, 2, 28)) == [("meals", 240, None)]
    assert kinds(date(2026, 3, 1)) == [("meals", 120, None)]


@pytest.mark.django_db
def test_a_published_day_is_not_rewritten() -> None:
    load(MEALS)
    with pytest.raises(PackError, match=r"visit_findings\[meals\].from：会改写已发布的版本"):
        load(MEALS | {"hours": 120})
    assert FindingKind.objects.get().hours == 240


@pytest.mark.django_db
def test_without_a_list_of_its_own_a_county_uses_the_one_above_with_its_own_bureaus() -> None:
    load(FALL | {"bureau": "县民政局"}, MEALS, **NATION)
    Area.objects.get_or_create(code=COUNTY, defaults={"name": "测试县"})
    office = Bureau.objects.create(
        area_id=COUNTY, code="x", name="测试县民政局", aliases=["区民政局", "县民政"]
    )
    assert kinds() == [("fall", 24, office.pk), ("meals", 240, None)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "found"),
    [("县残联", True), ("残联", True), ("区残联", True), ("县残障办", False), ("市县残联", False)],
)
def test_a_bureau_of_the_list_above_is_known_with_or_without_its_rank(name: str, found: bool) -> None:
    pack_load(pack=read_pack((FIXTURES / "national.yaml").read_bytes()))
    Area.objects.create(code=COUNTY, name="测试县")
    bureau = Bureau.objects.create(area_id=COUNTY, code="cl", name=name)
    assert (("aids", 240, bureau.pk) in kinds()) is found


@pytest.mark.django_db
def test_a_list_of_its_own_is_the_whole_list() -> None:
    load(FALL | {"bureau": "县民政局"}, **NATION)
    load(MEALS)
    assert kinds() == [("meals", 240, None)]


@pytest.mark.django_db
def test_an_area_without_any_list_finds_nothing() -> None:
    assert finding_kinds(VILLAGE, date(2026, 3, 1)) == ()


@pytest.mark.django_db
def test_two_queries_at_most(django_assert_max_num_queries: Any) -> None:
    load(FALL | {"bureau": "县民政局"}, MEALS, **NATION)
    with django_assert_max_num_queries(2):
        assert len(finding_kinds(VILLAGE, date(2026, 3, 1))) == 2


@pytest.mark.django_db
def test_a_finding_says_what_the_phone_shows() -> None:
    load(FALL)
    office = Bureau.objects.get(code="mzj")
    assert finding_kinds(COUNTY, date(2026, 3, 1)) == (
        PolicyFinding(code="fall", name="摔倒", group="安全", risk="红", hours=24, bureau_id=office.pk),
    )
