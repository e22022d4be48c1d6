"""Lines of batches for pages and downloads: masked, and every list sums to the figure that opens it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Count, F, QuerySet, Sum

from eldercare.models import Elder
from operations.crypto import decrypt
from operations.masking import mask_account
from portal.places import place_names
from subsidies.choices import PaymentState, ReturnReason
from subsidies.models import Payment

CHUNK: Final = 2000
HEADINGS: Final = (
    "批次",
    "序号",
    "姓名",
    "证件号码",
    "区划",
    "项目编码",
    "项目名称",
    "所属月",
    "类别",
    "金额（元）",
    "抵扣（元）",
    "实发（元）",
    "户名",
    "账号",
    "状态",
    "失败原因",
    "入账日期",
)
WIDTHS: Final = (20, 8, 12, 22, 26, 10, 20, 10, 8, 12, 12, 12, 12, 12, 10, 16, 12)
TONES: Final = {
    PaymentState.PENDING: "",
    PaymentState.HELD: "attention",
    PaymentState.PROCESSING: "info",
    PaymentState.PAID: "good",
    PaymentState.FAILED: "danger",
    PaymentState.VOID: "",
}


@dataclass(frozen=True)
class PaymentRow:
    """One line as lists show it."""

    payment: Payment
    id_number: str
    account: str
    place: str

    @property
    def net(self) -> Decimal:
        """元 that the bank pays."""
        return self.payment.amount - self.payment.offset

    @property
    def tone(self) -> str:
        """Tone of the state's pill."""
        return TONES[PaymentState(self.payment.state)]

    @property
    def reason(self) -> str:
        """The failure's normalised reason in words."""
        return ReturnReason(self.payment.reason).label if self.payment.reason else ""

    def cells(self) -> tuple[str | int | Decimal | None, ...]:
        """The line in the order of HEADINGS."""
        line = self.payment
        return (
            line.batch.number,
            line.number,
            line.elder.name,
            self.id_number,
            self.place,
            line.item.code,
            line.item.name,
            f"{line.month:%Y-%m}",
            line.kind,
            line.amount,
            line.offset,
            self.net,
            line.holder,
            self.account,
            line.get_state_display(),
            self.reason,
            str(line.paid_on or ""),
        )


@dataclass(frozen=True)
class PaymentSums:
    """Lines, persons and 元 that the bank pays of a whole result."""

    lines: int
    persons: int
    amount: Decimal


def search_payments(lines: QuerySet[Payment], text: str) -> QuerySet[Payment]:
    """Keep the lines of elders whom the text finds."""
    return lines.filter(elder_id__in=Elder.objects.search(text).values("pk")) if text else lines


def sums_of(lines: QuerySet[Payment]) -> PaymentSums:
    """Lines, persons and money of a queryset of lines."""
    found = lines.aggregate(
        n=Count("pk"), persons=Count("elder_id", distinct=True), money=Sum(F("amount") - F("offset"))
    )
    return PaymentSums(found["n"], found["persons"], found["money"] or Decimal("0.00"))


def ordered(lines: QuerySet[Payment]) -> QuerySet[Payment]:
    """In the order of the batch, with everything that a line shows."""
    return lines.select_related("elder", "item", "batch").order_by("batch_id", "number")


def payment_rows(lines: Iterable[Payment]) -> list[PaymentRow]:
    """Lines as lists show them; one query for the names of places."""
    lines = list(lines)
    places = place_names(line.area_code for line in lines)
    return [
        PaymentRow(
            line,
            line.elder.masked_id_number,
            mask_account(decrypt(line.account_cipher)),
            places.get(line.area_code, ""),
        )
        for line in lines
    ]


def all_rows(lines: QuerySet[Payment]) -> Iterator[PaymentRow]:
    """Every line of a result, CHUNK of them in memory at a time."""
    chunk: list[Payment] = []
    for line in ordered(lines).iterator(chunk_size=CHUNK):
        chunk.append(line)
        if len(chunk) == CHUNK:
            yield from payment_rows(chunk)
            chunk = []
    yield from payment_rows(chunk)
