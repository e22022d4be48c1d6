"""停发告知书 and 变更告知书: what stops or changes for an elder, from when, why, how much, and how to object."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.models import QuerySet, Sum

from eldercare.choices import Kind
from eldercare.models import Circumstance, Elder
from operations.long_table import Column
from operations.papers import pdf
from organization.models import User
from subsidies.choices import LineKind
from subsidies.models import Adjustment, Entitlement, Month
from subsidies.papers.changes import change_rows
from subsidies.papers.head import Head, head_of, month_words
from subsidies.papers.places import Places
from subsidies.papers.reasons import Reasons
from subsidies.papers.sheet import Sheet, Value
from subsidies.refusals import MoneyRefusedError
from subsidies.review import CHANGED, STOPPED, month_before

MOST: Final = 3000
NOTHING: Final = Decimal("0.00")
STOP: Final = "停发"
CHANGE: Final = "变更"
COLUMNS: Final = (
    Column("序号", 14, "center"),
    Column("姓名", 30),
    Column("证件号码", 39, "center"),
    Column("村（社区）", 40),
    Column("事项", 12, "center"),
    Column("项目", 40),
    Column("原标准（元）", 24, "right"),
    Column("现标准（元）", 24, "right"),
    Column("送达日期、签收", 48),
)


@dataclass(frozen=True)
class NoticeLine:
    """One item of a notice; before, now: 元 a month, now 0 where it stops."""

    what: str
    item: str
    before: Decimal
    now: Decimal
    why: str


@dataclass(frozen=True)
class Notice:
    """What one elder is told. back, over: 元 paid after and overpaid for earlier months, told apart."""

    name: str
    id_number: str
    area_code: str
    dead: bool
    lines: Sequence[NoticeLine]
    back: Decimal
    over: Decimal

    @property
    def title(self) -> str:
        """停发 or 变更, or both."""
        return "、".join(dict.fromkeys(line.what for line in self.lines))


@dataclass(frozen=True)
class Notices:
    """Notices of a month, by village."""

    head: Head
    month: Month
    items: Sequence[Notice]


def notice_rows(month: Month, actor: User, elder: Elder | None = None) -> list[QuerySet[Entitlement]]:
    """Stopped and changed lines that are money, within the areas for which the actor may export."""
    found = [change_rows(month, kind, actor).filter(amount__gt=0) for kind in (STOPPED, CHANGED)]
    return [rows.filter(elder=elder) for rows in found] if elder else found


def notices_of(month: Month, actor: User, elder: Elder | None = None) -> Notices:
    """Notices of one elder, or of everybody for whom something stops or changes.

    Raises MoneyRefusedError if there is nothing to tell, or too much for one file.
    """
    former = month_before(month)
    stopped, changed = notice_rows(month, actor, elder)
    if former is None or not (stopped.exists() or changed.exists()):
        raise MoneyRefusedError(f"{month_words(month.month)}与上月相比没有停发或变更，不需要告知书。")
    if stopped.count() + changed.count() > MOST:
        raise MoneyRefusedError(f"告知书超过 {MOST:,} 份，请由各镇（街）经办人在本镇（街）范围内分别打印。")
    gone, other = list(stopped), list(changed)
    elders = {row.elder_id: row.elder for row in (*gone, *other)}
    reasons = Reasons(month, former, elders)
    past = {
        (row.elder_id, row.item_id): row for row in Entitlement.objects.of(former).filter(elder__in=elders)
    }
    lines: dict[int, list[NoticeLine]] = defaultdict(list)
    areas: dict[int, str] = {}
    for row in gone:
        why = reasons.stopped(row)
        text = (
            f"{why.cause.label}（{why.text}）"
            if why.text and why.text != why.cause.label
            else why.cause.label
        )
        lines[row.elder_id].append(NoticeLine(STOP, row.item.name, row.amount or NOTHING, NOTHING, str(text)))
        areas.setdefault(row.elder_id, row.area_code)
    for row in other:
        was = past[row.elder_id, row.item_id]
        why_text = reasons.changed(was, row)
        line = NoticeLine(CHANGE, row.item.name, was.amount or NOTHING, row.amount or NOTHING, why_text)
        lines[row.elder_id].append(line)
        areas.setdefault(row.elder_id, row.area_code)
    found = _notices(month, elders, lines, areas)
    return Notices(head_of(month.county_code, actor), month, found)


def notices_pdf(notices: Notices) -> bytes:
    """One notice a page, in large type."""
    places = Places(notices.month.county_code)
    month = month_words(notices.month.month)
    data: dict[str, Any] = {
        "title": f"{notices.head.county}{month}养老补贴告知书",
        "made": notices.head.made(),
        "sender": notices.head.sender(),
        "month": month,
        "notices": [_data(notice, places) for notice in notices.items],
    }
    return pdf(template="notice.typ", data=data)


def notices_sheet(notices: Notices) -> Sheet:
    """The same notices as a list, to note down when each was handed over."""
    places, rows = Places(notices.month.county_code), list[tuple[Sequence[Value], bool]]()
    for number, notice in enumerate(notices.items, 1):
        for line in notice.lines:
            person = (number, notice.name, notice.id_number, places.village(notice.area_code))
            rows.append(((*person, line.what, line.item, line.before, line.now, ""), False))
    return Sheet(
        title=f"{notices.head.county}{month_words(notices.month.month)}停发、变更告知书送达登记表",
        facts=(
            f"核定月：{notices.month.month:%Y-%m}",
            f"核定版次：第 {notices.month.revision} 版",
            "",
            "单位：元",
        ),
        columns=COLUMNS,
        rows=rows,
        total=f"合计 {len(notices.items):,} 人",
        signatures=("制表人：", "送达人：", "审核人："),
        head=notices.head,
    )


def _notices(
    month: Month,
    elders: dict[int, Elder],
    lines: dict[int, list[NoticeLine]],
    areas: dict[int, str],
) -> list[Notice]:
    dead = set(
        Circumstance.objects.filter(elder__in=elders, kind=Kind.DEATH).values_list("elder_id", flat=True)
    )
    sums: dict[tuple[int, str], Decimal] = {}
    adjustments = Adjustment.objects.filter(run=month, elder__in=elders).values_list("elder_id", "kind")
    for elder_id, kind, amount in adjustments.annotate(amount=Sum("amount")):
        sums[elder_id, kind] = abs(amount)
    return [
        Notice(
            elders[pk].name,
            elders[pk].masked_id_number,
            areas[pk],
            pk in dead,
            lines[pk],
            sums.get((pk, LineKind.BACK_PAY), NOTHING),
            sums.get((pk, LineKind.RECOVERY), NOTHING),
        )
        for pk in sorted(lines, key=lambda pk: (areas[pk], pk))
    ]


def _data(notice: Notice, places: Places) -> dict[str, Any]:
    extra = []
    if notice.back:
        extra.append(f"以前月份少发的 {notice.back:,.2f} 元，将一并补发到您的账户。")
    if notice.over:
        extra.append(f"以前月份多发的 {notice.over:,.2f} 元，将另行书面通知退回办法。")
    return {
        "title": f"养老补贴{notice.title}告知书",
        "to": f"{notice.name}{'的家属' if notice.dead else ''}",
        "whom": f"{notice.name}生前" if notice.dead else "您",
        "id_number": notice.id_number,
        "place": places.village(notice.area_code),
        "lines": [
            {
                "what": line.what,
                "item": line.item,
                "before": line.before,
                "now": line.now if line.what == CHANGE else "停发",
                "why": line.why,
            }
            for line in notice.lines
        ],
        "extra": extra,
    }
