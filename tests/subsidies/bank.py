"""A county's batch on its way to the bank and back, for tests; the steps before the bank are left out."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

from openpyxl import Workbook

from eldercare.models import Elder
from subsidies.choices import BatchState, PaymentState
from subsidies.models import BankFile, BankProfile, Batch, Payment, ReturnFile
from subsidies.services.bank import bank_file_download, bank_file_make
from subsidies.services.bank_profile import bank_profiles_ensure
from subsidies.services.bank_return import return_import
from subsidies.services.ledger import confirm_post, send_post
from tests.registry import make_elder
from tests.subsidies.county import LULIANG, item, publish_list, run
from tests.subsidies.money import Staff, account, built, staff, terms

NOVEMBER = date(2024, 11, 1)
HEADER = ["批次号", "序号", "账号", "金额", "状态", "失败原因", "入账日期"]


def drafted(people: Staff, elders: int) -> Batch:
    """A draft of November that pays 50 元 to each of some new elders."""
    for _ in range(elders):
        account(make_elder(date(1940, 1, 1), low_income_allowance=True))
    return built(run(NOVEMBER), people.maker)


def county() -> Staff:
    """The money people of a county whose list pays 50 元 to 低保 from November on."""
    people = staff()
    publish_list(item("POOR", "低保"))
    terms("POOR", NOVEMBER)
    return people


def confirmed(people: Staff, elders: int = 3) -> Batch:
    """A batch of new elders, confirmed by finance."""
    batch = drafted(people, elders)
    confirm_post(batch=batch, actor=people.finance)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.CONFIRMED)
    batch.refresh_from_db()
    return batch


def profile(name: str = "通用 Excel") -> BankProfile:
    """A shipped format of the county."""
    bank_profiles_ensure(county_code=LULIANG)
    return BankProfile.objects.get(county_code=LULIANG, name=name)


def file_of(batch: Batch, people: Staff, name: str = "通用 Excel") -> BankFile:
    """The batch's payment file, fetched once."""
    file = bank_file_make(batch_id=batch.pk, profile_id=profile(name).pk, actor=people.finance)
    bank_file_download(bank_file_id=file.pk, actor=people.finance)
    return file


def sent(people: Staff, elders: int = 3, name: str = "通用 Excel") -> Batch:
    """A batch of new elders that the bank has."""
    batch = confirmed(people, elders)
    file_of(batch, people, name)
    send_post(batch=batch, actor=people.finance)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.SENT)
    batch.refresh_from_db()
    return batch


def row(batch: Batch, number: int, state: str = "成功", **given: Any) -> list[Any]:
    """A row of a return; given: account, amount, reason, day, of (the batch named)."""
    return [
        given.get("of", batch.number),
        number,
        given.get("account", ""),
        given.get("amount", 50),
        state,
        given.get("reason", "已销户" if state == "失败" else ""),
        given.get("day", "2024-11-21"),
    ]


def book(*rows: list[Any], header: list[str] = HEADER) -> bytes:
    """A workbook as the bank returns it."""
    workbook = Workbook()
    for cells in (header, *rows):
        workbook.worksheets[0].append(cells)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def answered(batch: Batch, people: Staff, *rows: list[Any]) -> ReturnFile:
    """The import of a return of these rows."""
    return return_import(batch_id=batch.pk, name="回盘.xlsx", content=book(*rows), actor=people.finance)


def states(batch: Batch) -> list[str]:
    """State of each line, by number."""
    return list(Payment.objects.filter(batch=batch).order_by("number").values_list("state", flat=True))


def verdicts(file: ReturnFile) -> list[str]:
    """Verdict of each row, in the file's order."""
    return list(file.results.order_by("number").values_list("verdict", flat=True))


def line(batch: Batch, number: int) -> Payment:
    """A line of the batch."""
    return Payment.objects.get(batch=batch, number=number)


def owed(elder: Elder) -> Decimal:
    """元 of an elder's failed lines."""
    lines = Payment.objects.filter(elder=elder, state=PaymentState.FAILED)
    return sum((one.amount - one.offset for one in lines), Decimal(0))
