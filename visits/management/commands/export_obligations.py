"""export_obligations M --output F.csv: who had to be visited how often, with full ID numbers."""

from argparse import ArgumentParser
from typing import Any

from operations.commands import JsonCommand, Refused, parse_month
from operations.services.audit import audit_record
from operations.spreadsheets import csv_file
from visits.models import Obligation
from visits.selectors import obligation_rows
from visits.services.obligation import month_refresh

HEADER = ("身份证号码", "区划代码", "层级编码", "应访次数", "已访次数", "已达标", "免访起", "免访原因")


class Command(JsonCommand):
    """Bring the month in line with registry and visits, then write one line per obligation; audited."""

    help = "导出一个月的探访任务（含完整证件号，记入审计）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", type=parse_month, metavar="M", help="月份，YYYY-MM")
        parser.add_argument("--output", required=True, help="CSV 文件")

    def answer(self, **options: Any) -> dict[str, Any]:
        month, output = options["month"], options["output"]
        month_refresh(month=month)
        try:
            rows = csv_file(output, HEADER, map(export_row, obligation_rows(month)))
        except OSError as error:
            raise Refused(f"文件 {output} 写不了：{error.strerror}") from error
        audit_record(
            action="导出探访任务", subject=f"月份 {month:%Y-%m}", data={"rows": rows, "full_id": True}
        )
        return {"month": f"{month:%Y-%m}", "rows": rows, "output": output}


def export_row(obligation: Obligation) -> tuple[Any, ...]:
    """One obligation in the order of HEADER."""
    return (
        obligation.elder.id_number,
        obligation.area_code,
        obligation.tier.code,
        obligation.due,
        obligation.done,
        "免访" if obligation.exempt_from else obligation.met,
        obligation.exempt_from,
        obligation.exempt_reason,
    )
