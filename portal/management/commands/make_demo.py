"""make_demo [--elders N] [--seed S] [--if-empty] [--fast]: a fictional county to try the portal on."""

import time
from argparse import ArgumentParser
from typing import Any, Final

from eldercare.models import Elder
from operations.commands import JsonCommand, Refused
from organization.models import Area
from portal.demo.accounts import accounts_read
from portal.demo.county import NotEmptyError, demo_build
from portal.demo.imports import DemoRefusedError
from portal.demo.registry import RegistryNotEmptyError, registry_load_fast
from subsidies.choices import BatchState
from subsidies.models import Batch, Month

SMALL: Final = 10
LARGE: Final = 20_000


class Command(JsonCommand):
    """Builds the demonstration county; a large or --fast one is a bare registry for measuring."""

    help = "建立演示县：虚构的区划、老年人、月度核定和探访"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--elders", type=int, default=5_000, metavar="N", help="老年人数，缺省 5000")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="随机种子，缺省 1")
        parser.add_argument("--if-empty", action="store_true", help="已有老年人时不做任何事，正常结束")
        parser.add_argument("--fast", action="store_true", help="只写登记册，不经 Excel，不核定月份")

    def answer(self, **options: Any) -> dict[str, Any]:
        elders, seed = options["elders"], options["seed"]
        if not SMALL <= elders <= 2_000_000:
            raise Refused("--elders 应在 10 到 2000000 之间")
        started = time.monotonic()
        made: dict[str, Any]
        try:
            if options["fast"] or elders >= LARGE:
                made = dict(registry_load_fast(elders, seed))
            else:
                made = {"steps": demo_build(elders=elders, seed=seed, report=self.stderr.write)}
        except (NotEmptyError, RegistryNotEmptyError) as refusal:
            if not options["if_empty"]:
                raise Refused(f"{refusal}；没有改动任何数据", elders=Elder.objects.count()) from refusal
            self.stderr.write(f"{refusal}，跳过")
            made = {"skipped": True}
        except DemoRefusedError as refusal:
            raise Refused(str(refusal)) from refusal
        return made | {
            "elders": Elder.objects.count(),
            "areas": Area.objects.count(),
            "months": [
                f"{month:%Y-%m}" for month in Month.objects.order_by("month").values_list("month", flat=True)
            ],
            "accounts": len(accounts_read()),
            "bank_returns": [
                f"python manage.py demo_bank_return {batch.number} --output {batch.number}.xlsx"
                for batch in Batch.objects.filter(state=BatchState.SENT).order_by("number")
            ],
            "seconds": round(time.monotonic() - started, 2),
        }
