"""The townships of a county's visit month: what each has to submit, and how far it is."""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from organization.models import Area
from visits.choices import MonthState
from visits.models import VisitMonth
from visits.months import township_sql
from visits.rate import Figure


@dataclass(frozen=True)
class TownshipFigure:
    """A township with obligations. submits: somebody is there to submit it; else it is locked with the county."""

    code: str
    name: str
    figure: Figure
    submits: bool
    row: VisitMonth | None

    @property
    def state(self) -> MonthState:
        """Where its month stands."""
        return MonthState(self.row.state) if self.row else MonthState.OPEN


def township_figures(*, month: date, county_code: str) -> list[TownshipFigure]:
    """Give the townships in which somebody is obliged or exempt, in order of code; who lives in none comes first.

    A township submits if it is one of today's; who lives elsewhere, or has no township on record, stands under the
    county's own code.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {township_sql("o.area_code", "o.county_code")} AS township,
                   count(*) FILTER (WHERE o.exempt_from IS NULL), count(*) FILTER (WHERE o.met),
                   count(*) FILTER (WHERE o.exempt_from IS NOT NULL), count(*) FILTER (WHERE o.late_met)
            FROM visits_obligation o WHERE o.month = %s AND o.county_code = %s GROUP BY 1 ORDER BY 1""",
            [month, county_code],
        )
        found = cursor.fetchall()
    names = dict(Area.objects.current().filter(parent_id=county_code).values_list("code", "name"))
    rows = VisitMonth.objects.filter(month=month, county_code=county_code)
    states = {row.area_code: row for row in rows.select_related("submitted_by", "accepted_by")}
    return [
        TownshipFigure(
            code=code,
            name=names.get(code, "县外居住或未填乡镇" if code == county_code else f"未登记的乡镇 {code}"),
            figure=Figure(obliged, met, {"": exempt} if exempt else {}, late),
            submits=code in names,
            row=states.get(code),
        )
        for code, obliged, met, exempt, late in found
    ]
