"""demo_bank_return BATCH --output F: the fictional bank's answer to a batch of the demonstration."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils import timezone

from operations.commands import JsonCommand, Refused
from operations.models import Job
from portal.demo.areas import COUNTY
from portal.demo.bank import bank_answer
from portal.demo.county import KIND
from subsidies.choices import BatchState
from subsidies.models import Batch


class Command(JsonCommand):
    """Writes a return file to try the import of returns with; only for the demonstration county."""

    help = "写出演示银行对一个已报银行批次的回盘文件"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("batch", metavar="BATCH", help="批次号，例如 990101-202611-01")
        parser.add_argument("--output", required=True, metavar="F", help="写到这个文件，已有的会被覆盖")

    def answer(self, **options: Any) -> dict[str, Any]:
        batch = Batch.objects.filter(number=options["batch"], county_code=COUNTY).first()
        if batch is None:
            raise Refused(f"演示县没有批次 {options['batch']}；批次号见“发放”页面")
        if batch.state != BatchState.SENT:
            raise Refused(f"批次 {batch} 现为“{batch.state}”；演示银行只答复“{BatchState.SENT}”的批次")
        begun = Job.objects.filter(kind=KIND).order_by("pk").first()
        content = bank_answer(batch, seed=begun.params["seed"] if begun else 1, today=timezone.localdate())
        try:
            Path(options["output"]).write_bytes(content)
        except OSError as error:
            raise Refused(f"不能写文件 {options['output']}：{error.strerror}；请换一个位置") from error
        return {
            "batch": batch.number,
            "lines": batch.lines,
            "output": options["output"],
            "bytes": len(content),
        }
