"""import_areas FILE.csv|xlsx"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from operations.commands import JsonCommand, Refused
from organization.services.area import areas_import


class Command(JsonCommand):
    """Load administrative areas."""

    help = "导入行政区划：区划代码,名称[,上级代码]"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def answer(self, **options: Any) -> dict[str, Any]:
        path: Path = options["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Refused(f"打不开文件 {path}：{error.strerror}") from error
        result = areas_import(name=path.name, content=content)
        if result.errors:
            for line in result.errors[:50]:
                self.stderr.write(line)
            raise Refused(
                f"区划文件有 {len(result.errors)} 处错误，没有写入任何数据", errors=result.errors[:200]
            )
        counts = {"created": result.created, "updated": result.updated, "unchanged": result.unchanged}
        return {"rows": result.rows, **counts}
