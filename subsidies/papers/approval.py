"""发放审批单: a batch with its sums by item and township and the steps it went through."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, F, Sum

from operations.chinese_money import chinese_money
from operations.papers import pdf
from operations.plain_workbook import Cell, plain_workbook
from organization.models import User
from subsidies.choices import BatchAction, BatchKind, PaymentState
from subsidies.models import Batch
from subsidies.papers.head import Head, day_words, head_of, moment, month_words
from subsidies.papers.places import Places
from subsidies.papers.register import NOT_PAID


class Sums(NamedTuple):
    """Lines and 元 of an item or township; note: who found it right and when, or ''."""

    name: str
    lines: int
    amount: Decimal
    note: str = ""


class Step(NamedTuple):
    """One step as it was taken."""

    action: str
    person: str
    at: str
    opinion: str
    lines: int
    amount: Decimal


@dataclass(frozen=True)
class Approval:
    """The form; lines and amount are those to be paid now. held: lines held back."""

    head: Head
    batch: Batch
    items: Sequence[Sums]
    townships: Sequence[Sums]
    steps: Sequence[Step]
    lines: int
    amount: Decimal
    held: int

    @property
    def title(self) -> str:
        """Name of the form."""
        return f"{self.head.county}养老补贴发放审批单"


def approval_of(batch: Batch, actor: User) -> Approval:
    """The form of a whole batch: for who covers its county."""
    net = F("amount") - F("offset")
    paid = batch.payments.exclude(state__in=NOT_PAID)
    grouped = paid.values("item__name", "kind").annotate(n=Count("pk"), net=Sum(net))
    rows = grouped.order_by("item__number", "item__code", "kind")
    items = [Sums(f"{row['item__name']}（{row['kind']}）", row["n"], row["net"]) for row in rows]
    return Approval(
        head=head_of(batch.county_code, actor),
        batch=batch,
        items=items,
        townships=_townships(batch),
        steps=[
            Step(
                str(BatchAction(step.action).label),
                str(step.actor or "系统"),
                moment(step.at),
                step.note,
                step.lines,
                step.amount,
            )
            for step in batch.steps.select_related("actor")
        ],
        lines=sum(item.lines for item in items),
        amount=sum((item.amount for item in items), Decimal("0.00")),
        held=batch.payments.filter(state=PaymentState.HELD).count(),
    )


def approval_pdf(approval: Approval) -> bytes:
    """The form as PDF."""
    data: dict[str, Any] = {
        "title": approval.title,
        "made": approval.head.made(),
        "facts": dict(_facts(approval)),
        "items": [_printed(sums) for sums in approval.items],
        "townships": [_printed(sums) for sums in approval.townships],
        "steps": [step._asdict() | {"lines": f"{step.lines:,}"} for step in approval.steps],
        "total": {"lines": f"{approval.lines:,}", "amount": approval.amount},
    }
    return pdf(template="approval.typ", data=data)


def approval_xlsx(approval: Approval) -> bytes:
    """The form as a workbook: facts, sums, steps."""
    rows: list[Sequence[Cell]] = [(approval.title,), *_facts(approval), ("项目", "笔数", "金额（元）")]
    rows += [(sums.name, sums.lines, sums.amount) for sums in approval.items]
    rows += [("合计", approval.lines, approval.amount), ("镇（街）", "笔数", "金额（元）", "核实")]
    rows += [(sums.name, sums.lines, sums.amount, sums.note) for sums in approval.townships]
    rows.append(("步骤", "办理人", "时间", "意见", "笔数", "金额（元）"))
    rows += [(s.action, s.person, s.at, s.opinion, s.lines, s.amount) for s in approval.steps]
    rows += approval.head.about()
    return plain_workbook("审批单", rows, headings=1, widths=(26, 18, 20, 30, 10, 16))


def _facts(approval: Approval) -> list[tuple[str, str]]:
    batch = approval.batch
    notice = ""
    if batch.notice_from and batch.notice_until:
        notice = f"{day_words(batch.notice_from)}至{day_words(batch.notice_until)}"
    return [
        ("批次号", batch.number),
        ("核定月", month_words(batch.month.month)),
        ("类别", str(BatchKind(batch.kind).label)),
        ("状态", batch.state),
        ("核定版次", f"第 {batch.revision} 版"),
        ("制单人", f"{batch.made_by}　{moment(batch.made_at)}"),
        ("公示", notice or "无公示"),
        ("暂缓", f"{approval.held} 笔，不计入" if approval.held else "无"),
        ("合计金额", f"{approval.amount:,.2f} 元，大写 {chinese_money(approval.amount)}"),
    ]


def _townships(batch: Batch) -> list[Sums]:
    places = Places(batch.county_code)
    return [
        Sums(
            places.township(check.township.ljust(12, "0")) if check.township else "县外户籍",
            check.lines,
            check.amount,
            f"{check.checked_by}　{moment(check.checked_at)}　{check.note}" if check.checked_by else "",
        )
        for check in batch.checks.select_related("checked_by").order_by("township")
    ]


def _printed(sums: Sums) -> dict[str, Any]:
    return sums._asdict() | {"lines": f"{sums.lines:,}"}
