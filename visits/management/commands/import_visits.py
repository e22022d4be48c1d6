"""import_visits FILE: take in visits from a CSV or workbook, all or none."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from operations.commands import JsonCommand, Refused
from visits.services.visit import visits_import

WARNINGS_SHOWN = 100


class Command(JsonCommand):
    """Each record number is taken once; a file sent twice changes nothing."""

    help = "导入探访记录（CSV 或 Excel），有一行不对就全部不写入"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV 或 Excel 文件")

    def answer(self, **options: Any) -> dict[str, Any]:
        path: Path = options["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Refused(f"文件 {path} 读不了：{error.strerror}") from error
        result = visits_import(content=content, name=path.name)
        for warning in result.warnings[:WARNINGS_SHOWN]:
            self.stderr.write(warning)
        return {
            "rows": result.rows,
            "created": result.created,
            "duplicates": result.duplicates,
            "errors": 0,
            "warnings": len(result.warnings),
        }
