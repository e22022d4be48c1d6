"""Money for tests: who handles it, how items are paid, accounts, and what the bank says."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from catalog.models import Item
from eldercare.models import BankAccount, Elder
from operations.crypto import blind_index, encrypt
from organization.choices import Role
from organization.models import Area, Assignment, User
from subsidies.choices import BatchKind, BatchState, PaymentState
from subsidies.models import Batch, Month, Payment, PaymentTerms
from subsidies.services.batch import batch_build

LONG_AGO = date(2020, 1, 1)
_serial = count(1)


@dataclass(frozen=True)
class Staff:
    """Who handles money in the county: at least one person for each step."""

    maker: User
    maker_two: User
    lead_a: User
    lead_b: User
    chief: User
    finance: User
    finance_two: User


def staff(county: str = "530322000000") -> Staff:
    """The county's money people, with its areas if they are missing."""
    towns = (f"{county[:6]}101000", f"{county[:6]}102000")
    for code, name, parent in (
        (county, "测试县", None),
        (towns[0], "甲镇", county),
        (towns[1], "乙镇", county),
    ):
        Area.objects.get_or_create(code=code, defaults={"name": name, "parent_id": parent})
    return Staff(
        maker=_user("制单", Role.BUREAU_CLERK, county),
        maker_two=_user("制单乙", Role.BUREAU_CLERK, county),
        lead_a=_user("甲镇核实", Role.TOWNSHIP_LEAD, towns[0]),
        lead_b=_user("乙镇核实", Role.TOWNSHIP_LEAD, towns[1]),
        chief=_user("审批", Role.BUREAU_CHIEF, county),
        finance=_user("财务甲", Role.FINANCE, county),
        finance_two=_user("财务乙", Role.FINANCE, county),
    )


def _user(name: str, role: Role, area: str) -> User:
    user = User.objects.create(username=f"staff{next(_serial)}", full_name=name, password="!")
    Assignment.objects.create(user=user, role=role, area_id=area)
    return user


def terms(code: str, first_month: date, *, notice_days: int = 0) -> PaymentTerms:
    """From this month on the portal pays the item."""
    return PaymentTerms.objects.create(
        item=Item.objects.get(code=code), first_month=first_month, notice_days=notice_days
    )


def account(elder: Elder, number: str | None = None, *, since: date = LONG_AGO) -> BankAccount:
    """Give an elder a fictional account of his own."""
    digits = number or f"6200000000{next(_serial):09d}"
    return BankAccount.objects.create(
        elder=elder,
        bank="测试农商行",
        holder=elder.name,
        account_cipher=encrypt(digits),
        account_index=blind_index(digits),
        valid=DateRange(since, None),
    )


def built(month: Month, maker: User, kind: str = BatchKind.REGULAR) -> Batch:
    """A draft of the month."""
    return batch_build(month=month, kind=kind, actor=maker)


def arrive(batch: Batch, *failed: Elder, state: str = BatchState.RETURNED) -> None:
    """The bank pays the whole batch but for the lines of some elders; the steps on the way are left out."""
    lines = Payment.objects.filter(batch=batch, state=PaymentState.PENDING)
    lines.filter(elder__in=failed).update(state=PaymentState.FAILED, reason="已销户")
    lines.exclude(elder__in=failed).update(state=PaymentState.PAID, paid_on=batch.month.month)
    Batch.objects.filter(pk=batch.pk).update(state=state)
    batch.refresh_from_db()


def void(batch: Batch) -> None:
    """The batch is sent back: nothing of it is paid."""
    Payment.objects.filter(batch=batch).update(state=PaymentState.VOID)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.VOID)
    batch.refresh_from_db()


def lines(batch: Batch) -> dict[tuple[int, date], tuple[str, Decimal]]:
    """(elder, month) → (类别, 元) of a batch with one item."""
    rows = Payment.objects.filter(batch=batch)
    return {(row.elder_id, row.month): (row.kind, row.amount) for row in rows}


def without_triggers(sql: str) -> None:
    """Write past the triggers that keep money as it was booked."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            cursor.execute(sql)
        finally:
            cursor.execute("SET session_replication_role = origin")
