"""undo_import BATCH"""

from argparse import ArgumentParser
from typing import Any

from eldercare.models import ImportBatch
from eldercare.services.roster import RosterRefused, roster_undo
from operations.commands import JsonCommand, Refused


class Command(JsonCommand):
    """Take a batch back unless later work rests on it."""

    help = "撤销一个导入批次"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("batch", type=int)

    def answer(self, **options: Any) -> dict[str, Any]:
        batch = ImportBatch.objects.filter(pk=options["batch"]).first()
        if batch is None:
            raise Refused(f"没有导入批次 {options['batch']}")
        try:
            batch = roster_undo(batch=batch)
        except RosterRefused as refusal:
            raise Refused(str(refusal), batch=batch.pk) from refusal
        counts = {name: batch.counts[name] for name in ("created", "updated")}
        return {"batch": batch.pk, "state": batch.state, **counts}
