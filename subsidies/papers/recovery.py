"""追缴通知书: which months were overpaid and why, how much is to come back, until when and where (domain §2.5)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from eldercare.choices import Kind
from eldercare.models import Circumstance
from operations.chinese_money import chinese_money
from operations.papers import pdf
from operations.plain_workbook import Cell, plain_workbook
from organization.models import User
from subsidies.choices import RecoveryState, StopReason
from subsidies.models import Recovery
from subsidies.papers.head import Head, day_words, head_of, month_words
from subsidies.papers.places import Places
from subsidies.recovery_selectors import open_sums
from subsidies.refusals import MoneyRefusedError


@dataclass(frozen=True)
class RecoveryPaper:
    """The notice. months: what is claimed by month; left: 元 that is still to come back."""

    head: Head
    recovery: Recovery
    dead: bool
    months: Sequence[tuple[date, Decimal]]
    left: Decimal

    @property
    def amount(self) -> Decimal:
        """元 claimed over all months."""
        return sum((amount for _, amount in self.months), Decimal("0.00"))


def recovery_paper(recovery: Recovery, actor: User) -> RecoveryPaper:
    """Everything that the notice says; months whose claim was taken back are left out.

    Raises MoneyRefusedError if nothing is to come back any more.
    """
    left = open_sums([recovery.pk]).get(recovery.pk, Decimal("0.00"))
    if left <= 0:
        raise MoneyRefusedError(
            f"这件追缴已{RecoveryState(recovery.state).label}，没有要退回的金额，不需要通知书。"
        )
    months: dict[date, Decimal] = defaultdict(Decimal)
    for line in recovery.lines.all():
        months[line.month] += line.amount
    return RecoveryPaper(
        head=head_of(recovery.county_code, actor),
        recovery=recovery,
        dead=Circumstance.objects.filter(elder=recovery.elder_id, kind=Kind.DEATH).exists(),
        months=[(month, amount) for month, amount in sorted(months.items()) if amount],
        left=left,
    )


def recovery_pdf(paper: RecoveryPaper) -> bytes:
    """The notice as PDF, in large type, with a receipt at its foot."""
    case = paper.recovery
    data: dict[str, Any] = {
        "title": "养老补贴追缴通知书",
        "made": paper.head.made(),
        "sender": paper.head.sender() | {"on": day_words(case.notified_on) or paper.head.sender()["on"]},
        "number": recovery_number(case),
        "to": f"{case.elder.name}{'的家属' if paper.dead else ''}",
        "whom": case.elder.name if paper.dead else "您",
        "id_number": case.elder.masked_id_number,
        "place": Places(case.county_code).village(case.area_code),
        "item": case.item.name,
        "why": why_words(case),
        "due_stop": month_words(case.due_stop),
        "months": [[month_words(month), amount] for month, amount in paper.months],
        "amount": paper.amount,
        "returned": paper.amount - paper.left,
        "left": paper.left,
        "capitals": chinese_money(paper.left),
        "pay_by": day_words(case.pay_by),
    }
    return pdf(template="recovery.typ", data=data)


def recovery_xlsx(paper: RecoveryPaper) -> bytes:
    """The notice as a workbook: label and text, then the months."""
    case, sender = paper.recovery, paper.head.sender()
    rows: list[Sequence[Cell]] = [
        ("养老补贴追缴通知书",),
        ("编号", recovery_number(case)),
        ("姓名", case.elder.name),
        ("证件号码", case.elder.masked_id_number),
        ("项目", case.item.name),
        ("原因", why_words(case)),
        ("应停月", month_words(case.due_stop)),
        *((month_words(month), amount) for month, amount in paper.months),
        ("合计（元）", paper.amount),
        ("已退回或抵扣（元）", paper.amount - paper.left),
        ("应退回（元）", paper.left),
        ("大写", chinese_money(paper.left)),
        ("退回期限", day_words(case.pay_by)),
        ("退回账户", sender["refund_account"]),
        ("联系电话", sender["phone"]),
        *paper.head.about(),
    ]
    return plain_workbook("追缴通知书", rows, headings=1, widths=(20, 60))


def recovery_number(case: Recovery) -> str:
    """Number of the notice: county, month of the run, case."""
    return f"{case.county_code[:6]}-{case.run.month:%Y%m}-{case.pk:05d}"


def why_words(case: Recovery) -> str:
    """The cause as its form says it, with the case's note."""
    label = str(StopReason(case.cause).label)
    return f"{label}（{case.note}）" if case.note else label
