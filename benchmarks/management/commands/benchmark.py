"""benchmark month|import|pages: measure beside rivals, in a database of its own."""

from argparse import ArgumentParser
from importlib.util import find_spec
from typing import Any

from benchmarks.month import DisagreementError, month_benchmark
from operations.commands import JsonCommand, Refused


class Command(JsonCommand):
    """Runs one benchmark; machine, versions and rounds go to stderr, the figures to the last line of stdout."""

    help = "性能对照：在自己的临时数据库里与同类做法并排测量"

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="kind", required=True)
        month = kinds.add_parser("month", help="一个月的核定")
        month.add_argument("--elders", type=int, default=100_000)
        month.add_argument("--rounds", type=int, default=3)

    def answer(self, **options: Any) -> dict[str, Any]:
        if options["kind"] == "month" and find_spec("openfisca_core") is None:
            raise Refused(
                "没有安装对照软件 OpenFisca-core：请先运行"
                " .venv/bin/pip install --require-hashes -r requirements-bench.txt"
            )
        try:
            return month_benchmark(elders=options["elders"], rounds=options["rounds"])
        except DisagreementError as error:
            raise Refused(f"结果不一致，不作比较：{error}") from error
