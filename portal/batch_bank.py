"""What the bank was given and gave back for a batch, as its page shows it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.utils import timezone

from eldercare.models import BankAccount
from operations.models import Job
from organization.choices import Permission
from organization.models import User
from portal.batch_figures import ZERO, Figure
from portal.batch_scope import covers
from subsidies.balance import balances
from subsidies.bank_tasks import FILE, RETURN
from subsidies.batch_selectors import failed_open
from subsidies.choices import BatchState, ReturnReason, Verdict
from subsidies.models import BankFile, BankProfile, Batch, Payment, ReturnFile

#: states from which on there is something to do or to see about the bank
WITH_BANK: Final = (BatchState.CONFIRMED, BatchState.SENT, BatchState.RETURNED, BatchState.CLOSED)
NOT_OWED_SHOWN: Final = 500
#: reason → what to do before the line is paid again
ADVICE: Final[dict[str, str]] = {
    ReturnReason.NAME: "核对户名与账号是不是同一人，在花名册里更正后重发",
    ReturnReason.IDENTITY: "核对证件号码和姓名，必要时请本人到银行更新资料后重发",
    ReturnReason.NO_ACCOUNT: "请本人出示存折或卡，更正账号后重发",
    ReturnReason.DIGITS: "账号少位或多位，更正账号后重发",
    ReturnReason.CLOSED: "账户已销，请本人另开户，登记新账号后重发",
    ReturnReason.LOST: "请本人到银行解除挂失，或登记新账号后重发",
    ReturnReason.FROZEN: "请银行说明冻结原因；需要换户的登记新账号后重发",
    ReturnReason.DORMANT: "请本人到银行激活，或登记新账号后重发",
    ReturnReason.INACTIVE: "请本人持社保卡到银行激活后重发",
    ReturnReason.ABNORMAL: "请银行说明账户状态，处理后重发",
    ReturnReason.CLASS_LIMIT: "换成Ⅰ类户，或请银行调整限额后重发",
    ReturnReason.LINE_LIMIT: "请银行调整单笔限额后重发",
    ReturnReason.CURRENCY: "换成人民币储蓄账户后重发",
    ReturnReason.BANK_NAME: "更正开户行后重发",
    ReturnReason.RETRY: "银行方面的原因，可以直接重发",
    ReturnReason.OTHER: "看银行说明，问清后再重发",
}
#: verdict → (tone, what to do); only those that ask for something have words
VERDICTS: Final[dict[str, tuple[str, str]]] = {
    Verdict.PAID: ("good", ""),
    Verdict.FAILED: ("danger", "更正账户后重发"),
    Verdict.PROCESSING: ("info", "等银行的下一份回盘，不要重发"),
    Verdict.REPEATED: ("", ""),
    Verdict.UNKNOWN: ("attention", "不是这一批的行：请核对是否拿错文件，或把这一行导入所属批次"),
    Verdict.AMOUNT: ("attention", "金额与报送的不一致：没有改动，请向银行查询实际入账金额"),
    Verdict.ACCOUNT: ("attention", "账号与报送的不一致：没有改动，请向银行查询入了谁的账户"),
    Verdict.CONFLICT: ("attention", "与已有结果相反：没有改动，请向银行取得书面说明"),
    Verdict.UNREADABLE: ("attention", "状态、行号或金额认不出：请银行按约定格式重出这一行"),
}


@dataclass(frozen=True)
class VerdictCount:
    """Rows of a return file with one verdict."""

    verdict: str
    label: str
    tone: str
    advice: str
    rows: int


@dataclass(frozen=True)
class ReturnSummary:
    """A return file with its rows by verdict."""

    file: ReturnFile
    counts: list[VerdictCount]


@dataclass(frozen=True)
class FailedReason:
    """Failed lines of one normalised reason."""

    reason: str
    label: str
    advice: str
    figure: Figure


@dataclass(frozen=True)
class Failed:
    """Failed lines that nobody pays again yet; unchanged: their account is still the one that failed."""

    reasons: list[FailedReason]
    total: Figure
    unchanged: int


@dataclass(frozen=True)
class BankSide:
    """Everything about the bank on a batch's page."""

    file: BankFile | None
    profiles: list[BankProfile]
    returns: list[ReturnSummary]
    failed: Failed | None
    works: bool


def bank_side(batch: Batch, user: User, failed: int) -> BankSide | None:
    """The bank's side of a batch; None before finance confirmed it or for who does not cover the county."""
    if batch.state not in WITH_BANK or not covers(user, batch.county_code):
        return None
    works = covers(user, batch.county_code, Permission.BANK_FILE)
    choosing = works and batch.state == BatchState.CONFIRMED
    profiles = BankProfile.objects.filter(county_code=batch.county_code, active=True).order_by("name")
    return BankSide(
        file=getattr(batch, "bank_file", None),
        profiles=list(profiles) if choosing else [],
        returns=_returns(batch) if batch.state != BatchState.CONFIRMED else [],
        failed=_failed(batch) if failed else None,
        works=works,
    )


def _returns(batch: Batch) -> list[ReturnSummary]:
    files = batch.return_files.select_related("uploaded_by").order_by("-pk")
    return [ReturnSummary(file, verdict_counts(file)) for file in files]


def job_of(batch: Batch, user: User) -> Job | None:
    """The newest job about this batch's files that the user asked for."""
    jobs = Job.objects.filter(kind__in=[FILE, RETURN], params__batch=batch.pk, created_by=user)
    return jobs.order_by("-created_at").first()


def verdict_counts(file: ReturnFile) -> list[VerdictCount]:
    """Rows by verdict, in the order of the verdicts, those without rows left out."""
    return [
        VerdictCount(verdict.value, verdict.label, *VERDICTS[verdict], file.counts[verdict.value])
        for verdict in Verdict
        if file.counts.get(verdict.value)
    ]


def not_owed(batch: Batch) -> list[Payment]:
    """Failed lines of which nothing is due by the newest facts; months that are suspended are not among them."""
    rows = failed_open(batch.county_code).filter(batch=batch)
    lines = list(rows.order_by("number")[:NOT_OWED_SHOWN])
    elders = list({line.elder_id for line in lines})
    found = balances(run=batch.month, elder_ids=elders, everything=True) if elders else []
    spent = {(b.elder_id, b.item_id, b.month) for b in found if b.due <= 0 < b.unpaid}
    return [line for line in lines if (line.elder_id, line.item_id, line.month) in spent]


def _failed(batch: Batch) -> Failed:
    """Failed lines by reason, without those that another line pays again."""
    same = BankAccount.objects.filter(
        elder=OuterRef("elder"),
        account_index=OuterRef("account_index"),
        valid__contains=timezone.localdate(),
    )
    rows = (
        failed_open(batch.county_code)
        .filter(batch=batch)
        .annotate(same=Exists(same))
        .values("reason")
        .annotate(n=Count("pk"), money=Sum(F("amount") - F("offset")), kept=Count("pk", filter=Q(same=True)))
        .order_by("-n", "reason")
    )
    found = list(rows)
    reasons = [
        FailedReason(
            row["reason"],
            ReturnReason(row["reason"]).label if row["reason"] else "未说明",
            ADVICE.get(row["reason"], ADVICE[ReturnReason.OTHER]),
            Figure(row["n"], row["money"]),
        )
        for row in found
    ]
    total = Figure(sum(r["n"] for r in found), sum((r["money"] for r in found), ZERO) or Decimal(ZERO))
    unchanged = sum(row["kept"] for row in found if row["reason"] != ReturnReason.RETRY)
    return Failed(reasons, total, unchanged)
