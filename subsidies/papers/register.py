"""发放清册: every line of a batch that is to be paid, by township, with sums that tie to the batch (domain §2.7)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from django.db.models import QuerySet

from operations.chinese_money import chinese_money
from operations.crypto import decrypt
from operations.long_table import Column
from operations.masking import mask_id_number
from organization.areas import township_code
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from subsidies.choices import BatchAction, BatchKind, PaymentState
from subsidies.models import Batch, Payment
from subsidies.papers.head import Head, head_of, moment, month_words
from subsidies.papers.places import Places
from subsidies.papers.sheet import Sheet, Value

COLUMNS: Final = (
    Column("序号", 14, "center"),
    Column("姓名", 30),
    Column("证件号码", 39, "center"),
    Column("村（社区）", 40),
    Column("项目", 44),
    Column("所属月", 17, "center"),
    Column("类别", 12, "center"),
    Column("金额（元）", 24, "right"),
    Column("账号", 19, "center"),
    Column("签领/备注", 32),
)
NAMED: Final = 3
NOT_PAID: Final = (PaymentState.HELD, PaymentState.VOID)
FIELDS: Final = (
    "number",
    "elder__name",
    "elder__id_number_cipher",
    "area_code",
    "item__name",
    "month",
    "kind",
    "amount",
    "offset",
    "account_cipher",
)


class RegisterLine(NamedTuple):
    """One line; amount: what the bank pays, after the offset."""

    number: int
    name: str
    id_number: str
    area_code: str
    item: str
    month: date
    kind: str
    amount: Decimal
    offset: Decimal
    account: str


@dataclass(frozen=True)
class Register:
    """A batch's lines in their order, which is by village. held: lines left out because they are held back."""

    head: Head
    batch: Batch
    area: str
    lines: Sequence[RegisterLine]
    held: int
    maker: str
    checkers: str
    approver: str

    @property
    def amount(self) -> Decimal:
        """元 that the bank pays for these lines."""
        return sum((line.amount for line in self.lines), Decimal("0.00"))


def register_payments(batch: Batch, actor: User, item_id: int | None = None) -> QuerySet[Payment]:
    """Lines within the areas for which the actor may export, whether paid or not."""
    prefixes = actor.area_prefixes(Permission.PAYMENT_EXPORT)
    rows = in_areas(batch.payments.all(), prefixes, "area_code", "batch__county_code")
    return rows.filter(item_id=item_id) if item_id else rows


def register_of(batch: Batch, actor: User, item_id: int | None = None) -> Register:
    """The register of a batch, of the actor's areas only."""
    payments = register_payments(batch, actor, item_id)
    paid = payments.exclude(state__in=NOT_PAID).order_by("number")
    checks = batch.checks.filter(checked_by__isnull=False).select_related("checked_by")
    approval = batch.steps.filter(action=BatchAction.APPROVE).select_related("actor").last()
    return Register(
        head=head_of(batch.county_code, actor),
        batch=batch,
        area=_area_words(batch, actor),
        lines=[_line(*row) for row in paid.values_list(*FIELDS).iterator(chunk_size=5000)],
        held=payments.filter(state=PaymentState.HELD).count(),
        maker=str(batch.made_by),
        checkers=_names(dict.fromkeys(str(check.checked_by) for check in checks)),
        approver=str(approval.actor) if approval else "",
    )


def register_sheet(register: Register) -> Sheet:
    """The register as a list with subtotals by township, and by item at the end."""
    batch, month = register.batch, register.batch.month
    kind = BatchKind(batch.kind).label
    total = (
        f"合计 {len(register.lines):,} 笔，{register.amount:,.2f} 元，大写 {chinese_money(register.amount)}"
    )
    held = f"；另有 {register.held} 笔暂缓，不在本册" if register.held else ""
    return Sheet(
        title=f"{register.head.county}{month_words(month.month)}养老补贴{kind}清册",
        facts=(
            f"批次号：{batch.number}　　范围：{register.area}",
            f"统计时点：{moment(register.head.made_at)}　　核定版次：第 {batch.revision} 版",
            f"状态：{batch.state}",
            "单位：元",
        ),
        columns=COLUMNS,
        rows=_rows(register.lines, Places(batch.county_code)),
        total=total + held,
        signatures=(
            f"制表人：{register.maker}",
            f"审核人：{register.checkers}",
            f"审批人：{register.approver}",
        ),
        head=register.head,
    )


def _rows(lines: Sequence[RegisterLine], places: Places) -> list[tuple[Sequence[Value], bool]]:
    rows: list[tuple[Sequence[Value], bool]] = []
    items: dict[str, list[Decimal]] = defaultdict(list)
    township, part = "", list[Decimal]()
    for line in lines:
        if part and township_code(line.area_code) != township:
            rows.append((_sum("小计", places.township(township), part), True))
            part = []
        township = township_code(line.area_code)
        part.append(line.amount)
        items[line.item].append(line.amount)
        rows.append((_cells(line, places), False))
    if part:
        rows.append((_sum("小计", places.township(township), part), True))
    for name, amounts in items.items():
        rows.append((_sum("其中", "", amounts, name), True))
    rows.append((_sum("合计", "", [line.amount for line in lines]), True))
    return rows


def _cells(line: RegisterLine, places: Places) -> Sequence[Value]:
    remark = f"已抵扣追缴 {line.offset:,.2f}" if line.offset else ""
    place = places.village(line.area_code)
    month = f"{line.month:%Y-%m}"
    fixed = (line.number, line.name, line.id_number, place, line.item, month, line.kind)
    return (*fixed, line.amount, line.account, remark)


def _sum(label: str, place: str, amounts: Sequence[Decimal], item: str = "") -> Sequence[Value]:
    total = sum(amounts, Decimal("0.00"))
    return (label, place, f"{len(amounts):,} 笔", "", item, "", "", total, "", "")


def _line(
    number: int,
    name: str,
    id_cipher: bytes,
    area_code: str,
    item: str,
    month: date,
    kind: str,
    amount: Decimal,
    offset: Decimal,
    account_cipher: bytes,
) -> RegisterLine:
    return RegisterLine(
        number,
        name,
        mask_id_number(decrypt(id_cipher)),
        area_code,
        item,
        month,
        kind,
        amount - offset,
        offset,
        decrypt(account_cipher)[-4:],
    )


def _names(names: Iterable[str]) -> str:
    """As many names as a signature line holds."""
    names = list(names)
    return "、".join(names[:NAMED]) + (f"等 {len(names)} 人" if len(names) > NAMED else "")


def _area_words(batch: Batch, actor: User) -> str:
    """The whole county, or the names of the actor's areas in it."""
    prefixes = actor.area_prefixes(Permission.PAYMENT_EXPORT)
    if any(batch.county_code.startswith(prefix) for prefix in prefixes):
        return "全县"
    places = Places(batch.county_code)
    inside = [prefix for prefix in prefixes if prefix.startswith(batch.county_code[:6])]
    return "、".join(places.village(prefix.ljust(12, "0")) for prefix in inside)
