"""Live work queues of a user: what waits for his permission in his areas, each with its number and its list.

Counted when asked for, never stored: a step taken anywhere takes the work off every list at once. At most 12 queries
for any one role.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from django.db.models import Count, Exists, Min, OuterRef, Q
from django.urls import reverse

from organization.choices import Permission
from organization.models import User
from organization.permissions import permissions_of
from organization.querysets import in_areas
from portal.application_rows import waiting_for
from portal.batch_list import BatchRow, batch_queue, batch_rows
from portal.batch_scope import batches_of
from subsidies.anomalies import anomalies_of
from subsidies.certifications import reminders
from subsidies.choices import AnomalyState, BatchState, ObjectionState, PaymentState, RecoveryState
from subsidies.models import Application, Batch, Month, Objection, Payment, Recovery, RecoveryRequest
from subsidies.recovery_selectors import candidate_rows, overdue_on

#: action that a batch waits for → (what it is called, what to do)
BATCH_STEPS: Final = {
    "submit": ("批次待提交", "核对草稿后提交镇（街）核实"),
    "check": ("批次待核实", "核实本镇（街）的名单"),
    "approve": ("批次待审批", "核对人数、金额和异常后审批"),
    "confirm": ("批次待财政确认", "核对总额和预算后确认"),
    "file": ("批次待生成银行文件", "生成文件后报送银行"),
    "send": ("批次待报送银行", "下载文件、交银行后登记报送"),
    "return": ("批次待导入回盘", "银行答复后导入回盘文件"),
    "close": ("批次待关闭", "没有在途的行，核对后关闭"),
}
BATCH_PERMISSIONS: Final = frozenset(
    {
        Permission.BATCH_MAKE,
        Permission.BATCH_CHECK,
        Permission.BATCH_APPROVE,
        Permission.BATCH_CONFIRM,
        Permission.BANK_FILE,
    }
)
RECOVERY_PERMISSIONS: Final = frozenset({Permission.RECOVERY_MANAGE, Permission.RECOVERY_RECEIVE})


@dataclass(frozen=True)
class Queue:
    """One line of the workbench. decides: somebody else waits for it; tone: attention, danger or ''."""

    label: str
    count: int
    unit: str
    hint: str
    url: str
    tone: str = ""
    decides: bool = True


@dataclass(frozen=True)
class Warnings:
    """What is wrong and not yet dealt with, in the user's areas. failed: batch → lines the bank could not pay in."""

    anomalies: int = 0
    failed: dict[int, int] = field(default_factory=dict)
    overdue: int = 0
    proposed: int = 0

    @property
    def failed_lines(self) -> int:
        """Failed lines of all batches that no other line pays again."""
        return sum(self.failed.values())

    @property
    def total(self) -> int:
        """Everything together."""
        return self.anomalies + self.failed_lines + self.overdue


def warnings_of(user: User, month: Month | None, today: date) -> Warnings:
    """At most 3 queries, for whoever may see months and payments."""
    granted = permissions_of(user)
    found = Warnings()
    if month is not None and Permission.MONTH_VIEW in granted:
        waiting = anomalies_of(month, user).filter(state=AnomalyState.OPEN).count()
        found = Warnings(anomalies=waiting)
    if Permission.PAYMENT_VIEW not in granted:
        return found
    cases = in_areas(Recovery.objects.all(), user.area_prefixes(Permission.PAYMENT_VIEW), "area_code")
    counted = cases.aggregate(
        overdue=Count("pk", filter=overdue_on(today)),
        proposed=Count("pk", filter=Q(state=RecoveryState.PROPOSED)),
    )
    return Warnings(found.anomalies, _failed(user), counted["overdue"], counted["proposed"])


def queues_for(user: User, month: Month | None, warnings: Warnings, missed: int, today: date) -> list[Queue]:
    """What waits for the user, decisions first. month: the newest decided one of his county; missed: its 漏享."""
    granted = permissions_of(user)
    found: list[Queue] = []
    if granted & BATCH_PERMISSIONS:
        found += _batches(batch_rows(batch_queue(user, "open"), user))
    if Permission.BATCH_APPROVE in granted:
        found += _objections(user)
    if granted & {Permission.APPLICATION_CHECK, Permission.APPLICATION_APPROVE}:
        found += _applications(user, today)
    if Permission.RECOVERY_APPROVE in granted:
        found += _requests(user)
    if Permission.ANOMALY_DECIDE in granted and month is not None and warnings.anomalies:
        url = reverse("portal:anomaly-list", args=[month.month])
        found.append(
            Queue("发放前异常待核实", warnings.anomalies, "条", "提交批次前逐条放行或暂缓", url, "attention")
        )
    if granted & RECOVERY_PERMISSIONS:
        found += _recoveries(user, month, warnings, granted)
    if Permission.BATCH_MAKE in granted:
        found += _reissues(warnings.failed)
    if Permission.CERTIFY in granted:
        found += _certifications(user, today)
    if Permission.APPLICATION_MAKE in granted and month is not None and missed:
        url = reverse("portal:missed", args=[month.month])
        found.append(Queue("漏享待联系", missed, "人次", "符合条件、还没有申请", url, decides=False))
    return found


def _failed(user: User) -> dict[int, int]:
    """Batch → failed lines that no other line pays again; for who covers its county. One query."""
    again = Payment.objects.filter(reissues=OuterRef("pk")).exclude(state=PaymentState.VOID)
    counties = {prefix for prefix in user.area_prefixes(Permission.PAYMENT_VIEW) if len(prefix) <= 6}
    batches = in_areas(batches_of(user).exclude(state=BatchState.VOID), counties, "county_code")
    rows = Payment.objects.filter(batch__in=batches, state=PaymentState.FAILED).exclude(Exists(again))
    return dict(rows.values_list("batch_id").annotate(n=Count("pk")).order_by())


def _batches(rows: Iterable[BatchRow]) -> Iterator[Queue]:
    by_action: dict[str, list[Batch]] = defaultdict(list)
    for row in rows:
        action = row.offer.action
        # the list does not count pending lines: whether a file is still to be made shows by the money
        if action == "send" and row.batch.amount and not hasattr(row.batch, "bank_file"):
            action = "file"
        if action:
            by_action[action].append(row.batch)
    for action, (label, hint) in BATCH_STEPS.items():
        batches = by_action[action]
        if len(batches) == 1:
            (batch,) = batches
            yield Queue(label, 1, "批", f"{batch.number}：{hint}", _batch_url(batch.pk), "attention")
        elif batches:
            yield Queue(
                label, len(batches), "批", hint, f"{reverse('portal:batch-list')}?view=open", "attention"
            )


def _objections(user: User) -> Iterator[Queue]:
    """Open objections by batch; one query."""
    rows = in_areas(
        Objection.objects.filter(state=ObjectionState.OPEN),
        user.area_prefixes(Permission.BATCH_APPROVE),
        "payment__area_code",
    )
    numbered = rows.values_list("payment__batch", "payment__batch__number").annotate(n=Count("pk"))
    for batch, number, count in numbered.order_by("payment__batch"):
        yield Queue(
            "公示异议待处理",
            count,
            "件",
            f"{number}：成立的本批不发，不成立的照发",
            _batch_url(batch),
            "attention",
        )


def _applications(user: User, today: date) -> Iterator[Queue]:
    found = Application.objects.filter(waiting_for(user)).aggregate(n=Count("pk"), oldest=Min("applied_on"))
    if found["n"]:
        days = (today - found["oldest"]).days
        url = f"{reverse('portal:application-list')}?view=mine"
        hint = f"最早一件已申请 {days} 天" if days else "今天申请"
        yield Queue("享受申请待办理", found["n"], "件", hint, url, "attention")


def _requests(user: User) -> Iterator[Queue]:
    """Write-offs and cancellations asked for by others; one query."""
    rows = in_areas(
        RecoveryRequest.objects.filter(approved=None).exclude(made_by=user),
        user.area_prefixes(Permission.RECOVERY_APPROVE),
        "recovery__area_code",
    )
    cases = Counter[tuple[int, str]](rows.order_by("pk").values_list("recovery", "recovery__elder__name"))
    for (case, name), count in cases.items():
        url = reverse("portal:recovery-detail", args=[case])
        yield Queue("追缴核销、撤销待审批", count, "件", name, url, "attention")


def _recoveries(
    user: User, month: Month | None, warnings: Warnings, granted: frozenset[Permission]
) -> Iterator[Queue]:
    manages = Permission.RECOVERY_MANAGE in granted
    cases = reverse("portal:recovery-list")
    if warnings.overdue:
        yield Queue(
            "追缴已过退回期限", warnings.overdue, "件", "催办或登记退回", f"{cases}?due=overdue", "danger"
        )
    if manages and month is not None and (waiting := candidate_rows(month, user).count()):
        url = reverse("portal:recovery-candidates")
        yield Queue("多发待立案追缴", waiting, "人项", "核对原因后立案", url, "attention", decides=False)
    if manages and warnings.proposed:
        url = f"{cases}?state={RecoveryState.PROPOSED}"
        yield Queue("追缴待通知", warnings.proposed, "件", "通知家属并登记日期", url, "attention")


def _reissues(failed: dict[int, int]) -> Iterator[Queue]:
    if failed:
        url = _batch_url(next(iter(failed))) if len(failed) == 1 else reverse("portal:batch-list")
        lines = sum(failed.values())
        yield Queue("发放失败待重发", lines, "笔", "更正账户后生成重发批次", url, "attention", decides=False)


def _certifications(user: User, today: date) -> Iterator[Queue]:
    rows = reminders(user, today)
    url = reverse("portal:certification-list")
    overdue, soon = sum(row.overdue for row in rows), sum(row.soon for row in rows)
    if overdue:
        yield Queue("生存认证已逾期", overdue, "人", "逾期会暂停发放", url, "danger", decides=False)
    if soon:
        first = min(row.due for row in rows if row.soon)
        yield Queue("生存认证即将到期", soon, "人", f"{first} 截止", url, "attention", decides=False)


def _batch_url(pk: int) -> str:
    return reverse("portal:batch-detail", args=[pk])
