"""visit_rate M --by county|township|village|tier --output F.csv: the month's visit rate."""

from argparse import ArgumentParser
from typing import Any

from operations.commands import JsonCommand, Refused, parse_month
from operations.spreadsheets import csv_file
from visits.selectors import BY, visit_rate
from visits.services.obligation import month_refresh

HEADER = ("编码", "名称", "应访人数", "已访人数", "探访率")


class Command(JsonCommand):
    """Bring the month in line with registry and visits, then write one line per area or tier."""

    help = "导出一个月的探访率"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", type=parse_month, metavar="M", help="月份，YYYY-MM")
        parser.add_argument("--by", required=True, choices=BY, help="按县、镇（街）、村（社区）或探访层级")
        parser.add_argument("--output", required=True, help="CSV 文件")

    def answer(self, **options: Any) -> dict[str, Any]:
        month, output = options["month"], options["output"]
        month_refresh(month=month)
        rows = visit_rate(month=month, county_code=None, by=options["by"])
        try:
            csv_file(
                output, HEADER, [(row.code, row.name, row.obliged, row.visited, row.rate) for row in rows]
            )
        except OSError as error:
            raise Refused(f"文件 {output} 写不了：{error.strerror}") from error
        return {
            "month": f"{month:%Y-%m}",
            "rows": len(rows),
            "obliged": sum(row.obliged for row in rows),
            "visited": sum(row.visited for row in rows),
            "output": output,
        }
