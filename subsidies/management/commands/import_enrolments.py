"""import_enrolments FILE: take in enrolments (享受登记) from a CSV or workbook, all or none."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from operations.commands import JsonCommand, Refused
from subsidies.services.enrolment import enrolments_import


class Command(JsonCommand):
    """Columns 身份证号码, 项目编码, 起始月[, 终止月, 状态]; a file sent twice changes nothing."""

    help = "导入享受登记（CSV 或 Excel），有一行不对就全部不写入"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV 或 Excel 文件")

    def answer(self, **options: Any) -> dict[str, Any]:
        path: Path = options["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Refused(f"文件 {path} 读不了：{error.strerror}") from error
        result = enrolments_import(content=content, name=path.name)
        return {
            "rows": result.rows,
            "created": result.created,
            "updated": result.updated,
            "unchanged": result.unchanged,
            "errors": 0,
        }
