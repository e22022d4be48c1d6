"""run_month M [--area CODE]: decide a month."""

import time
from argparse import ArgumentParser
from datetime import date
from typing import Any

from catalog.selectors import counties_applied
from operations.commands import JsonCommand, Refused, check_area, parse_month
from organization.areas import county_code
from subsidies.models import Month
from subsidies.selectors import month_persons, month_summary
from subsidies.services.month import MonthRefusedError, month_run
from visits.models import Obligation


class Command(JsonCommand):
    """Freeze facts, decide every item, open visits; prints the month's figures."""

    help = "核定一个月：冻结事实、逐项核定、生成探访任务"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", type=parse_month, metavar="M", help="月份，YYYY-MM")
        parser.add_argument("--area", help="只核定此区划（12 位代码）")

    def answer(self, **options: Any) -> dict[str, Any]:
        month, area = options["month"], options["area"]
        counties = counties_for(area)
        started = time.monotonic()
        try:
            months = [
                month_run(county_code=county, month=month, area_code=area, report=self.report)
                for county in counties
            ]
        except MonthRefusedError as error:
            raise Refused(str(error)) from error
        return month_figures(month, months, area) | {"seconds": round(time.monotonic() - started, 2)}

    def report(self, step: str, done: int, total: int) -> None:
        """Say on stderr how far the run is."""
        self.stderr.write(f"{step} {done}/{total}" if total else step)


def counties_for(area: str | None) -> list[str]:
    """Counties with a list, or the one in which the area lies; Refused if there is none."""
    counties = counties_applied()
    if area is not None:
        counties = [county for county in counties if county == county_code(check_area(area))]
    if not counties:
        raise Refused("没有适用的服务清单：请先用 load_pack 加载本县清单" + (f"（{area}）" if area else ""))
    return counties


def month_figures(month: date, months: list[Month], area: str | None) -> dict[str, Any]:
    """The JSON of a run: persons, outcomes, amount in 元 with two decimals, obligations."""
    summaries = [month_summary(row, area_code=area) for row in months]
    obligations = Obligation.objects.filter(month=month, county_code__in=[row.county_code for row in months])
    persons = sum(row.persons for row in months)
    if area is not None:
        obligations = obligations.in_area(area)
        persons = sum(month_persons(row, area) for row in months)
    return {
        "month": f"{month:%Y-%m}",
        "persons": persons,
        "outcomes": {key: sum(s.outcomes[key] for s in summaries) for key in summaries[0].outcomes},
        "amount": f"{sum(s.amount for s in summaries):.2f}",
        "back_pay": f"{sum(s.back_pay for s in summaries):.2f}",
        "recovery": f"{sum(s.recovery for s in summaries):.2f}",
        "obligations": obligations.count(),
        "revision": max(row.revision for row in months),
    }
