"""benchmark month|import|pages|payments|sync|rate|opening: measure beside rivals, in a database of its own."""

from argparse import ArgumentParser
from importlib.util import find_spec
from typing import Any

from benchmarks.month import DisagreementError, month_benchmark
from benchmarks.pages import pages_benchmark
from benchmarks.payments import payments_benchmark
from benchmarks.rates import opening_benchmark, rates_benchmark
from benchmarks.roster import roster_benchmark
from benchmarks.sync import sync_benchmark
from operations.commands import JsonCommand, Refused


class Command(JsonCommand):
    """Runs one benchmark; machine, versions and rounds go to stderr, the figures to the last line of stdout."""

    help = "性能对照：在自己的临时数据库里与同类做法并排测量"

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="kind", required=True)
        month = kinds.add_parser("month", help="一个月的核定")
        month.add_argument("--elders", type=int, default=100_000)
        month.add_argument("--rounds", type=int, default=3)
        roster = kinds.add_parser("import", help="花名册导入")
        roster.add_argument("--rows", type=int, default=100_000)
        roster.add_argument("--rounds", type=int, default=3)
        pages = kinds.add_parser("pages", help="老年人列表页")
        pages.add_argument("--elders", type=int, default=100_000)
        payments = kinds.add_parser("payments", help="一个批次从生成到回盘")
        payments.add_argument("--lines", type=int, default=100_000)
        rate = kinds.add_parser("rate", help="探访率页面")
        rate.add_argument("--obligations", type=int, default=20_000)
        opening = kinds.add_parser("opening", help="一个月探访任务的生成")
        opening.add_argument("--elders", type=int, default=100_000)
        opening.add_argument("--rounds", type=int, default=3)
        sync = kinds.add_parser("sync", help="手机上传探访记录")
        sync.add_argument("--phones", type=int, default=2_000)
        sync.add_argument("--records", type=int, default=30)

    def answer(self, **options: Any) -> dict[str, Any]:
        if options["kind"] == "import":
            return roster_benchmark(rows=options["rows"], rounds=options["rounds"])
        if options["kind"] == "pages":
            return pages_benchmark(elders=options["elders"])
        if options["kind"] == "payments":
            return payments_benchmark(lines=options["lines"])
        if options["kind"] == "sync":
            return self._sync(options["phones"], options["records"])
        if options["kind"] == "rate":
            return rates_benchmark(obligations=options["obligations"])
        if options["kind"] == "opening":
            return opening_benchmark(elders=options["elders"], rounds=options["rounds"])
        return self._month(options["elders"], options["rounds"])

    def _month(self, elders: int, rounds: int) -> dict[str, Any]:
        if find_spec("openfisca_core") is None:
            raise Refused(
                "没有安装对照软件 OpenFisca-core：请先运行"
                " .venv/bin/pip install --require-hashes -r requirements-bench.txt"
            )
        try:
            return month_benchmark(elders=elders, rounds=rounds)
        except DisagreementError as error:
            raise Refused(f"结果不一致，不作比较：{error}") from error

    def _sync(self, phones: int, records: int) -> dict[str, Any]:
        try:
            return sync_benchmark(phones=phones, records=records)
        except DisagreementError as error:
            raise Refused(f"结果不一致，不作比较：{error}") from error
