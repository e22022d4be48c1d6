"""The fictional bank of the demonstration: what it answers to a payment file, the same for the same seed."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from django.db.models import F

from operations.crypto import decrypt
from operations.spreadsheets import xlsx_bytes
from portal.demo.chance import chance
from subsidies.choices import BatchKind, PaymentState, Verdict
from subsidies.models import Batch, Payment
from subsidies.return_layout import ReturnLayout, return_layout

FAILING: Final = 0.01
#: Code and words of the bank for what it cannot pay in.
CAUSES: Final = (
    ("E101", "账户状态异常（已销户）"),
    ("E102", "户名与账号不符"),
    ("E103", "睡眠户，请持卡人到柜台激活"),
    ("E104", "账号不存在"),
    ("E105", "账户已挂失"),
    ("E106", "账户冻结止付"),
    ("E107", "Ⅱ类户限额"),
    ("E108", "银行系统超时，请重发"),
)
DONE: Final = ("0000", "")
PAY_DAY: Final = 25
LINE_END: Final = "\r\n"
Row = dict[str, str]


def bank_answer(batch: Batch, *, seed: int, today: date) -> bytes:
    """Return the bank's return file for a batch with a payment file, in the format of that file's profile.

    About one line in a hundred fails, and one at least of what is paid for the first time; what is paid again arrives.
    """
    layout = return_layout(batch.bank_file.profile.return_layout)
    lines = list(
        Payment.objects.filter(
            batch=batch, amount__gt=F("offset"), state__in=(PaymentState.PENDING, PaymentState.PROCESSING)
        ).order_by("number")
    )
    failing = _failing(batch, [line.number for line in lines], seed)
    day = min(today, batch.month.month.replace(day=PAY_DAY)).strftime(layout.date_format or "%Y-%m-%d")
    return _file(
        batch, layout, [_row(batch, line, failing.get(line.number, DONE), layout, day) for line in lines]
    )


def _failing(batch: Batch, numbers: list[int], seed: int) -> dict[int, tuple[str, str]]:
    """Line → why it fails."""
    if batch.kind == BatchKind.REISSUE:
        return {}
    random = chance(seed, f"bank:{batch.number}")
    failing = {number: random.choice(CAUSES) for number in numbers if random.random() < FAILING}
    return failing or dict.fromkeys(numbers[:1], CAUSES[0])


def _row(batch: Batch, line: Payment, cause: tuple[str, str], layout: ReturnLayout, day: str) -> Row:
    """What the bank says of a line: the first word that the profile knows for the result."""
    result = Verdict.PAID if cause == DONE else Verdict.FAILED
    amount = line.amount - line.offset
    return {
        "batch": batch.number,
        "number": str(line.number),
        "account": decrypt(line.account_cipher),
        "holder": line.holder,
        "amount": str(int(amount * 100)) if layout.unit == "分" else str(amount),
        "state": next(text for text, verdict in layout.states.items() if verdict == result),
        "code": cause[0],
        "reason": cause[1],
        "paid_on": day if cause == DONE else "",
    }


def _file(batch: Batch, layout: ReturnLayout, rows: Iterable[Row]) -> bytes:
    """Write rows as the profile reads them; a row of totals, which names the batch, where the profile has one."""
    if layout.format == "fixed":
        lines = [_fixed_line(layout, row) for row in rows]
    elif layout.header:
        titles = [str(place[0]) for place in layout.columns.values() if isinstance(place, tuple)]
        cells = [[row[name] for name in layout.columns] for row in rows]
        if layout.format == "xlsx":
            return xlsx_bytes("回盘", titles, cells)
        lines = [_joined(layout, one) for one in (titles, *cells)]
    else:
        lines = [_joined(layout, _in_place(layout, row)) for row in rows]
    total = _encoded(layout, f"{batch.number} 合计")
    if layout.control == "first":
        lines.insert(0, total)
    elif layout.control == "last":
        lines.append(total)
    return b"".join(lines)


def _in_place(layout: ReturnLayout, row: Row) -> list[str]:
    """Cells by position from 1; what the profile does not name is blank."""
    places = {at: name for name, at in layout.columns.items() if isinstance(at, int)}
    return [row[places[at]] if at in places else "" for at in range(1, max(places) + 1)]


def _joined(layout: ReturnLayout, cells: list[str]) -> bytes:
    return _encoded(layout, layout.delimiter.join(cells))


def _fixed_line(layout: ReturnLayout, row: Row) -> bytes:
    line = bytearray()
    for name, place in sorted(layout.columns.items(), key=lambda column: str(column[1])):
        if isinstance(place, tuple):
            start, width = int(place[0]) - 1, int(place[1])
            line = line.ljust(start + width)
            line[start : start + width] = row[name].encode(_codec(layout))[:width].ljust(width)
    return bytes(line) + LINE_END.encode()


def _encoded(layout: ReturnLayout, text: str) -> bytes:
    return (text + LINE_END).encode(_codec(layout), "replace")


def _codec(layout: ReturnLayout) -> str:
    return "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding
