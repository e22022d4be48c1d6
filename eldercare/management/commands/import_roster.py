"""import_roster FILE [--as-of D] [--dry-run] [--mode all|valid] [--errors OUT.xlsx]"""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from eldercare.models import ImportBatch
from eldercare.reading.gate import size_refusal
from eldercare.services.roster import (
    RosterRefused,
    roster_check,
    roster_commit,
    roster_discard,
    roster_upload,
)
from operations.commands import JsonCommand, Refused, parse_day
from operations.services.stored_file import stored_file_read

COUNTS = ("rows", "created", "updated", "unchanged", "errors", "warnings")


class Command(JsonCommand):
    """Check a roster and write it to the registry."""

    help = "导入花名册（xlsx、xls、csv）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--as-of", type=parse_day, help="没有起始日期的行从哪天起算，默认今天")
        parser.add_argument("--dry-run", action="store_true", help="只核对，不写入")
        parser.add_argument("--mode", choices=ImportBatch.Mode.values, default=ImportBatch.Mode.ALL)
        parser.add_argument("--errors", type=Path, help="错误清单写到哪里（xlsx）")

    def answer(self, **options: Any) -> dict[str, Any]:
        try:
            return self._import(**options)
        except RosterRefused as refusal:
            raise Refused(str(refusal)) from refusal

    def _import(self, **options: Any) -> dict[str, Any]:
        batch = roster_check(batch=_upload(options["file"], options["as_of"], options["mode"]))
        if "refusal" in batch.report:
            raise Refused(batch.report["refusal"], batch=batch.pk)
        self._explain(batch)
        if options["errors"] and batch.errors_file:
            options["errors"].write_bytes(stored_file_read(stored=batch.errors_file))
        refused = batch.mode == ImportBatch.Mode.ALL and batch.counts["errors"] > 0
        if not refused and not options["dry_run"]:
            return _result(roster_commit(batch=batch))
        roster_discard(batch=batch)
        if refused:
            message = f"有 {batch.counts['errors']} 行没有通过核对，没有写入任何数据"
            raise Refused(message, **_result(batch), problems=batch.report["groups"])
        return _result(batch)

    def _explain(self, batch: ImportBatch) -> None:
        """Write notices, errors and warnings for people."""
        for notice in batch.report["notices"]:
            self.stderr.write(notice)
        for key, word in (("groups", "错误"), ("warnings", "提示"), ("suspected", "疑似重复")):
            for group in batch.report[key]:
                first = group["rows"][0]
                where = f"工作表“{first['sheet']}”第 {first['row']} 行"
                self.stderr.write(
                    f"{word} {group['kind']}：{group['message']}（{group['count']} 行，如{where}）"
                )


def _upload(path: Path, as_of: date | None, mode: str) -> ImportBatch:
    try:
        if refusal := size_refusal(path.name, path.stat().st_size):
            raise RosterRefused(refusal)
        content = path.read_bytes()
    except OSError as error:
        raise RosterRefused(f"打不开文件 {path}：{error.strerror}") from error
    return roster_upload(name=path.name, content=content, as_of=as_of, mode=mode)


def _result(batch: ImportBatch) -> dict[str, Any]:
    return {**{name: batch.counts[name] for name in COUNTS}, "batch": batch.pk}
