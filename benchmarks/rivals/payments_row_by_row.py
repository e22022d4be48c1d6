"""The rival of the payment files: openpyxl and the ORM as most tutorials put them together, row by row.

It keeps no evidence, no ledger and no audit, and its work is rolled back.
"""

from io import BytesIO
from pathlib import Path
from typing import Any

from django.db import transaction
from openpyxl import Workbook, load_workbook

from operations.crypto import decrypt
from subsidies.choices import PaymentState
from subsidies.models import Batch, Payment

TITLES = (
    "批次号",
    "序号",
    "户名",
    "账号",
    "开户行",
    "金额",
    "证件类型",
    "证件号码",
    "摘要",
    "所属月",
    "区划",
    "类别",
)


def write_file(rows: int) -> int:
    """A workbook of the first lines, one model object and one row of cells after another; return its size."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(TITLES)
    batch = Batch.objects.get()
    lines = Payment.objects.filter(batch=batch).select_related("elder", "item").order_by("number")
    for line in lines[:rows]:
        account, number = decrypt(line.account_cipher), decrypt(line.elder.id_number_cipher)
        memo = f"{line.item.name}{line.month:%Y年%m月}"
        identity = ("身份证", number, memo, f"{line.month:%Y-%m}", line.area_code, line.kind)
        sheet.append((batch.number, line.number, line.holder, account, line.bank, line.amount, *identity))
    buffer = BytesIO()
    book.save(buffer)
    return len(buffer.getvalue())


def import_return(path: str) -> dict[str, int]:
    """Find, compare and save each line by itself, then take everything back."""
    counts: dict[str, int] = {}
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get()
        rows: Any = (
            load_workbook(BytesIO(Path(path).read_bytes()), read_only=True).worksheets[0].iter_rows(min_row=2)
        )
        for row in rows:
            _, number, _, _, amount, state, reason, _ = (cell.value for cell in row)
            line = Payment.objects.get(batch=batch, number=number)
            if line.amount == amount and line.state == PaymentState.PENDING:
                line.state = PaymentState.PAID if state == "成功" else PaymentState.FAILED
                line.reason = "已销户" if reason else ""
                line.save(update_fields=["state", "reason"])
            counts[str(state)] = counts.get(str(state), 0) + 1
        transaction.set_rollback(True)
    return counts
