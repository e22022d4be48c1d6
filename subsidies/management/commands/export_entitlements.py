"""export_entitlements M --output F.csv [--area CODE]: the month's lines with full ID numbers."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from operations.commands import JsonCommand, Refused, check_area, parse_month
from operations.services.audit import audit_record
from operations.spreadsheets import csv_file
from subsidies.models import Month
from subsidies.selectors import Line, month_lines
from subsidies.wording import line_remark

HEADER = (
    "身份证号码",
    "姓名",
    "户籍区划",
    "项目编码",
    "项目名称",
    "所属月",
    "类别",
    "金额",
    "结果",
    "说明",
)


class Command(JsonCommand):
    """Write 正常, 补发 and 追缴 lines of a decided month to a CSV; audited."""

    help = "导出一个月的核定结果（含完整证件号，记入审计）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", type=parse_month, metavar="M", help="月份，YYYY-MM")
        parser.add_argument("--output", required=True, help="CSV 文件")
        parser.add_argument("--area", help="只导出此区划（12 位代码）")

    def answer(self, **options: Any) -> dict[str, Any]:
        month, output, area = options["month"], options["output"], options["area"]
        area = check_area(area) if area is not None else None
        months = list(Month.objects.filter(month=month, revision__gt=0))
        if not months:
            raise Refused(f"{month:%Y年%m月}还没有核定，请先运行 run_month {month:%Y-%m}")
        try:
            rows = csv_file(output, HEADER, lines(months, area))
        except OSError as error:
            raise Refused(f"文件 {output} 写不了：{error.strerror}") from error
        audit_record(
            action="导出月度核定",
            subject=f"月度 {month:%Y-%m}",
            data={"rows": rows, "area": area or "", "full_id": True},
        )
        return {"month": f"{month:%Y-%m}", "rows": rows, "output": output}


def lines(months: list[Month], area: str | None) -> Iterator[tuple[Any, ...]]:
    """Rows of the export."""
    for month in months:
        for line in month_lines(month, area):
            yield export_row(line)


def export_row(line: Line) -> tuple[Any, ...]:
    """One line in the order of HEADER."""
    return (
        line.elder.id_number,
        line.elder.name,
        line.elder.hukou_code,
        line.item.code,
        line.item.name,
        f"{line.month:%Y-%m}",
        line.kind,
        line.amount,
        line.outcome,
        line_remark(line),
    )
