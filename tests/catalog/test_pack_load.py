"""Loading a pack publishes dated versions; what is published is never rewritten."""

from datetime import date
from functools import partial
from typing import Any

import pytest

from catalog.models import DatedValue, Document, ExclusionGroup, Item, ItemVersion, Target, VisitTier
from catalog.pack import PackError, read_pack
from catalog.services.pack import area_name_in, pack_load
from catalog.services.publication import PackResult
from operations.models import AuditEntry
from organization.models import Area, Bureau
from tests.catalog.packs import COUNTY, changed, pack, pack_text
from tests.races import at_once

pytestmark = pytest.mark.django_db

Y25 = date(2025, 1, 1)
LATER = (("items.0.from", Y25), ("items.0.amount", 60))


def load(*changes: tuple[str, Any], **options: Any) -> PackResult:
    """Load the small list with changes."""
    return pack_load(pack=pack(*changes), **options)


def counts(result: PackResult) -> tuple[int, int, int]:
    """Created, ended, unchanged."""
    return result.created, result.ended, result.unchanged


def periods(code: str = "A1") -> list[tuple[date, date | None]]:
    """Ranges of an item's versions."""
    versions = ItemVersion.objects.filter(item__code=code).order_by("valid")
    return [(version.valid.lower, version.valid.upper) for version in versions]


def refused(*changes: tuple[str, Any]) -> list[str]:
    """Reasons for which the changed list is not loaded."""
    with pytest.raises(PackError) as error:
        load(*changes)
    return list(error.value.faults)


def test_the_first_load_writes_everything() -> None:
    assert counts(load()) == (7, 0, 0)
    assert [Item.objects.count(), DatedValue.objects.count(), Target.objects.count()] == [2, 3, 1]


def test_a_second_load_changes_nothing() -> None:
    load()
    before = list(ItemVersion.objects.values())
    assert counts(load()) == (0, 0, 7)
    assert list(ItemVersion.objects.values()) == before
    assert AuditEntry.objects.filter(action="pack_load").count() == 1


def test_a_later_from_adds_a_version_and_ends_the_former_on_that_day() -> None:
    load()
    assert counts(load(*LATER)) == (1, 1, 6)
    assert periods() == [(date(2024, 1, 1), Y25), (Y25, None)]


def test_the_former_pack_loaded_again_changes_nothing() -> None:
    load()
    load(*LATER)
    assert counts(load()) == (0, 0, 7)


def test_another_content_from_the_same_day_is_refused() -> None:
    load()
    assert refused(("items.0.amount", 60)) == [
        "items[A1].from：会改写已发布的版本：2024-01-01 起的内容已发布；要修改请把 from 写成新标准的执行日"
    ]


def test_an_earlier_from_than_the_published_one_is_refused() -> None:
    load()
    (reason,) = refused(("items.0.from", date(2023, 12, 31)), ("items.0.amount", 40))
    assert reason.startswith("items[A1].from：会改写已发布的版本：2024-01-01 起的版本已发布")


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("rates.0.values.0.amount", 750, "values[低保标准]"),
        ("parameters.0.values.0.value", 85, "values[高龄]"),
        ("conditions.0.rule", "低保", "values[经济困难]"),
        ("exclusions.0.strategy", "互斥", "exclusions[both]"),
        ("visit_tiers.0.times", 2, "visit_tiers[month]"),
        ("targets.0.value", 90, "targets[T1]"),
    ],
)
def test_nothing_published_is_rewritten(path: str, value: Any, place: str) -> None:
    load()
    (reason,) = refused((path, value))
    assert reason.startswith(place) and "会改写已发布的" in reason


def test_a_refused_pack_writes_nothing() -> None:
    load()
    refused(*LATER, ("rates.0.values.0.amount", 750))
    assert periods() == [(date(2024, 1, 1), None)]


def test_a_new_rate_ends_the_former() -> None:
    load()
    result = load(
        ("rates.0.values", [{"from": date(2024, 1, 1), "amount": 700}, {"from": Y25, "amount": 750}])
    )
    assert counts(result) == (1, 1, 6)
    rates = DatedValue.objects.filter(name="低保标准")
    assert [(rate.value, rate.valid.lower, rate.valid.upper) for rate in rates] == [
        ("700", date(2024, 1, 1), Y25),
        ("750", Y25, None),
    ]


@pytest.mark.parametrize(
    ("path", "model"),
    [("visit_tiers.0", VisitTier), ("exclusions.0", ExclusionGroup), ("conditions.0", DatedValue)],
)
def test_every_dated_thing_gets_versions(path: str, model: Any) -> None:
    load()
    content = {"visit_tiers.0": "times", "exclusions.0": "strategy", "conditions.0": "rule"}[path]
    value = {"times": 2, "strategy": "互斥", "rule": "低保"}[content]
    assert counts(load((f"{path}.from", Y25), (f"{path}.{content}", value))) == (1, 1, 6)
    assert model.objects.filter(valid__startswith=Y25).count() == 1


def test_a_repeal_is_the_last_day_in_force() -> None:
    load()
    assert counts(load(("items.0.to", date(2024, 12, 31)))) == (0, 1, 6)
    assert periods() == [(date(2024, 1, 1), Y25)]


def test_a_repeal_loaded_again_changes_nothing() -> None:
    load(("items.0.to", date(2024, 12, 31)))
    assert counts(load(("items.0.to", date(2024, 12, 31)))) == (0, 0, 7)


def test_a_repeal_is_not_undone_by_leaving_it_out() -> None:
    load(("items.0.to", date(2024, 12, 31)))
    (reason,) = refused()
    assert "已公布有效到 2024-12-31" in reason


def test_what_the_pack_leaves_out_stays_in_force_and_is_named() -> None:
    load()
    result = load(("items.1", {**changed()["items"][1], "code": "A3"}), ("exclusions", []))
    assert result.absent == ["items[A2]", "exclusions[both]"]
    assert periods("A2") == [(date(2024, 1, 1), None)]


def test_remarks_are_mended_without_a_version() -> None:
    load()
    assert counts(load(("items.0.note", "按户籍"))) == (0, 0, 7)
    assert Item.objects.get(code="A1").note == "按户籍"


def test_the_form_of_a_published_item_does_not_change() -> None:
    load()
    (reason,) = refused(*LATER, ("items.0.form", "服务"))
    assert reason.startswith("items[A1].subject：已发布项目的 subject 和 form 不能改")


def test_a_rule_without_a_value_on_its_first_day_is_refused() -> None:
    reasons = refused(("rates.0.values.0.from", date(2024, 2, 1)))
    assert reasons == ["自 2024-01-01 起，items[A2].amount：参数“低保标准”在这一天没有取值"]


def test_a_rate_that_ends_before_its_items_is_refused() -> None:
    reasons = refused(("rates.0.values.0.to", date(2024, 12, 31)))
    assert reasons == ["自 2025-01-01 起，items[A2].amount：参数“低保标准”在这一天没有取值"]


def test_conditions_that_name_each_other_are_refused() -> None:
    conditions = [
        {"name": "经济困难", "from": date(2024, 1, 1), "rule": "低保 或 困难"},
        {"name": "困难", "from": date(2024, 1, 1), "rule": "低保边缘 或 经济困难"},
    ]
    (reason,) = refused(("conditions", conditions))
    assert reason.endswith("items[A2].rule：条件互相引用，无法判断：经济困难 → 困难 → 经济困难")


def test_the_area_is_founded_with_the_name_in_the_title() -> None:
    load()
    assert Area.objects.get(code=COUNTY).name == "测试县"


def test_a_given_name_goes_before_the_title() -> None:
    load(area_name="示范县")
    assert Area.objects.get(code=COUNTY).name == "示范县"


def test_an_area_that_is_there_keeps_its_name_and_gets_no_double() -> None:
    Area.objects.create(code="990000000000", name="示范省")
    Area.objects.create(code=COUNTY, name="老名")
    load(area_name="新名")
    assert list(Area.objects.values_list("name", flat=True)) == ["示范省", "老名"]


def test_a_new_area_hangs_under_the_nearest_one_above() -> None:
    Area.objects.create(code="990000000000", name="示范省")
    load()
    assert Area.objects.get(code=COUNTY).parent_id == "990000000000"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("陆良县基本养老服务清单", "陆良县"),
        ("宝鸡市陈仓区基本养老服务清单", "宝鸡市陈仓区"),
        ("关于印发《某县养老服务清单》的通知", "某县"),
        ("低保标准通知", None),
    ],
)
def test_the_name_of_the_area_is_read_off_the_title(title: str, name: str | None) -> None:
    assert area_name_in(title) == name


def test_a_bureau_is_known_by_its_names() -> None:
    load()
    version = ItemVersion.objects.get(item__code="A1")
    assert (version.lead.name, [bureau.name for bureau in version.joined.all()]) == ("县民政局", ["县财政局"])


def test_a_renamed_bureau_keeps_its_former_name_as_alias() -> None:
    load()
    load(("bureaus.1.name", "县财政和国资局"), ("bureaus.1.aliases", ["县财政局"]))
    assert Bureau.objects.get(code="czj").aliases == ["县财政局"]
    assert Bureau.objects.count() == 2


def test_a_list_is_applied_to_another_county_under_a_code_of_its_own() -> None:
    load()
    result = load(area_override="990302000000", area_name="示范县")
    assert (result.document, result.created) == ("test-2024@990302", 7)
    document = Document.objects.get(code="test-2024@990302")
    assert (document.area.name, document.title) == ("示范县", "测试县基本养老服务清单")


def test_a_second_document_of_the_county_may_bring_a_rate_alone() -> None:
    load()
    source = """
document: {code: rate-2025, title: 低保标准通知, issued: 2025-01-01, area: "990201000000"}
rates: [{name: 低保标准, values: [{from: 2025-01-01, amount: 760}]}]
"""
    assert counts(pack_load(pack=read_pack(source))) == (1, 0, 0)


def test_a_faulty_pack_is_refused_with_every_fault() -> None:
    reasons = refused(("items.0.rule", "年纪 > 1"), ("items.1.lead", "无此局"))
    assert len(reasons) == 2
    assert not Document.objects.exists()


def loaded_at_once(sources: list[str]) -> list[str]:
    """Load packs in threads that start together; what each created, or why it was refused, sorted."""
    results = at_once(*(partial(pack_load, pack=read_pack(source)) for source in sources))
    return sorted(
        str(result) if isinstance(result, PackError) else f"created {result.created}" for result in results
    )


@pytest.mark.django_db(transaction=True)
def test_two_loads_at_once_give_one_set() -> None:
    assert loaded_at_once([pack_text()] * 4) == ["created 0"] * 3 + ["created 7"]
    assert ItemVersion.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_lists_at_once_do_not_take_the_same_item_code() -> None:
    Area.objects.create(code=COUNTY, name="测试县")
    first, second = loaded_at_once([pack_text(), pack_text(("document.code", "other-2024"))])
    assert first == "created 7"
    assert second.startswith("items[A1].code：《测试县基本养老服务清单》已有这个编码")


def test_an_overlong_name_of_an_area_is_cut() -> None:
    load(area_name="县" * 61)
    assert Area.objects.get(code=COUNTY).name == "县" * 60
