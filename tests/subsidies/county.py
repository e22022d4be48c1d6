"""A county for tests of the month: shipped lists, small made-up ones, running months and reading what they decided."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from catalog.models import Item
from catalog.pack import read_pack
from catalog.services.pack import pack_load
from eldercare.models import Elder
from subsidies.choices import EnrolmentState
from subsidies.models import Adjustment, Enrolment, Entitlement, ItemCount, Month
from subsidies.services.month import month_run

LULIANG = "530322000000"
CHENCANG = "610304000000"
FIXTURES = Path(__file__).parents[2] / "fixtures"
VILLAGE = "530322101201"
OTHER_VILLAGE = "530322102201"
CHENCANG_VILLAGE = "610304101201"
ELSEWHERE = "530324101201"


def shipped_pack(name: str) -> dict[str, Any]:
    """A shipped pack as data, so that a test can vary it."""
    pack: dict[str, Any] = yaml.safe_load((FIXTURES / f"{name}.yaml").read_text(encoding="utf-8"))
    return pack


def load(*names: str) -> None:
    """Publish shipped packs."""
    for name in names:
        pack_load(pack=read_pack((FIXTURES / f"{name}.yaml").read_text(encoding="utf-8")))


class _WithoutAliases(yaml.SafeDumper):
    """Packs know no anchors: a value that stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def publish(content: dict[str, Any]) -> None:
    """Publish a pack given as data; money and areas as text, dates as dates."""
    pack_load(pack=read_pack(yaml.dump(content, Dumper=_WithoutAliases, allow_unicode=True)))


def item(code: str, rule: str, **given: Any) -> dict[str, Any]:
    """One item of a made-up list: 次月, 免申即享, 50 元, 24 months of look-back, unless said otherwise."""
    terms: dict[str, Any] = {
        "code": code,
        "number": 1,
        "name": f"项目{code}",
        "type": "物质帮助",
        "form": "现金",
        "subject": "个人",
        "lead": "县民政局",
        "clause": "第1项",
        "from": date(2023, 1, 1),
        "rule": rule,
        "amount": 50,
        "application": "免申即享",
        "start": "次月",
        "lookback": 24,
        "track": "逐人",
        "summary": "测试项目。",
    } | given
    return {key: value for key, value in terms.items() if value is not None}


def publish_list(
    *items: dict[str, Any], area: str = LULIANG, code: str = "test-list", **sections: Any
) -> None:
    """Publish a made-up list of the county."""
    document = {"code": code, "title": "测试清单", "issued": date(2023, 1, 1), "area": area}
    bureaus = [{"code": "mzj", "name": "县民政局"}]
    publish({"document": document, "bureaus": bureaus, "items": list(items)} | sections)


def months(first: date, last: date) -> list[date]:
    """First days of the months from one to another, both included."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [
        date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1)
        for n in range(count)
    ]


def run(month: date, county: str = LULIANG, area: str | None = None) -> Month:
    """Run a month."""
    return month_run(county_code=county, month=month, area_code=area)


def run_through(first: date, last: date, county: str = LULIANG) -> None:
    """Run month after month."""
    for month in months(first, last):
        run(month, county)


def outcomes(elder: Elder, month: date, revision: int | None = None) -> dict[str, str]:
    """Item code → outcome of what the month stored for the elder."""
    return {line.item.code: line.outcome for line in _stored(elder, month, revision)}


def drawn(elder: Elder, month: date, revision: int | None = None) -> dict[str, Decimal]:
    """Item code → 元 that the elder draws: 应发 with an amount."""
    return {
        line.item.code: line.amount
        for line in _stored(elder, month, revision)
        if line.outcome == "应发" and line.amount is not None
    }


def due_lines(elder: Elder, run_month: date) -> dict[tuple[str, date], tuple[str, Decimal]]:
    """(item code, month) → (补发 or 追缴, 元) of a run's due lines for the elder."""
    lines = Adjustment.objects.filter(elder=elder, run__month=run_month).select_related("item")
    return {(line.item.code, line.month): (line.kind, line.amount) for line in lines}


def counted(month: Month) -> dict[tuple[str, str], int]:
    """(item code, village) → persons of the counted items as published."""
    figures: dict[tuple[str, str], int] = {}
    for row in ItemCount.objects.filter(month=month, revision__lte=month.revision).select_related("item"):
        key = (row.item.code, row.area_code)
        figures[key] = figures.get(key, 0) + row.persons
    return {key: persons for key, persons in figures.items() if persons}


def enrol(elder: Elder, code: str, first: date, last: date | None = None, state: str = "享受中") -> Enrolment:
    """Enrol an elder in an item."""
    return Enrolment.objects.create(
        elder=elder,
        item=Item.objects.get(code=code),
        first_month=first,
        last_month=last,
        state=EnrolmentState(state),
    )


def snapshot(month: Month, revision: int | None = None) -> set[tuple[Any, ...]]:
    """Everything that readers see of a month's decisions, without revisions."""
    rows = Entitlement.objects.of(month, revision)
    return set(rows.values_list("elder_id", "item__code", "amount", "outcome", "area_code", "winner__code"))


def _stored(elder: Elder, month: date, revision: int | None) -> list[Entitlement]:
    rows = []
    for row in Month.objects.filter(month=month, revision__gt=0):
        rows += list(
            Entitlement.objects.of(row, revision).filter(elder=elder).select_related("item", "item_version")
        )
    return rows
