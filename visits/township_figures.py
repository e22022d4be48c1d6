"""The townships of a county's visit month: what each has to submit, and how far it is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import connection

from organization.models import Area
from visits.choices import MonthState
from visits.models import RateSnapshot, VisitMonth
from visits.months import township_sql
from visits.rate import Figure

#: Who stands under the county's own code.
ELSEWHERE: Final = "县外居住或未填乡镇"


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
            name=names.get(code, ELSEWHERE if code == county_code else f"未登记的乡镇 {code}"),
            figure=Figure(obliged, met, {"": exempt} if exempt else {}, late),
            submits=code in names,
            row=states.get(code),
        )
        for code, obliged, met, exempt, late in found
    ]


@dataclass(frozen=True)
class MonthProgress:
    """A county's month: its figure, and how many of its townships have submitted and been accepted."""

    month: date
    figure: Figure
    townships: int
    submitted: int
    accepted: int
    snapshot: RateSnapshot | None


def month_progress(*, months: Sequence[date], county_code: str) -> list[MonthProgress]:
    """Give the progress of those of the months that were opened, in the order given. Four queries."""
    townships = Area.objects.current().filter(parent_id=county_code)
    known = list(townships.values_list("code", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT o.month, {township_sql("o.area_code", "o.county_code")} = ANY (%s) AS submits,
                   count(DISTINCT {township_sql("o.area_code", "o.county_code")}),
                   count(*) FILTER (WHERE o.exempt_from IS NULL), count(*) FILTER (WHERE o.met),
                   count(*) FILTER (WHERE o.exempt_from IS NOT NULL), count(*) FILTER (WHERE o.late_met)
            FROM visits_obligation o WHERE o.month = ANY (%s) AND o.county_code = %s GROUP BY 1, 2""",
            [known, list(months), county_code],
        )
        found = cursor.fetchall()
    states = Counter(
        VisitMonth.objects.filter(month__in=months, county_code=county_code, area_code__in=known)
        .values_list("month", "state")
        .order_by()
    )
    taken = RateSnapshot.objects.filter(month__in=months, county_code=county_code).defer("body")
    snapshots = {snapshot.month: snapshot for snapshot in taken}
    rows = []
    for month in months:
        parts = [row for row in found if row[0] == month]
        if not parts:
            continue
        figure = sum((Figure(n, met, {"": out}, late) for _, _, _, n, met, out, late in parts), Figure())
        accepted = states[month, MonthState.ACCEPTED]
        rows.append(
            MonthProgress(
                month=month,
                figure=figure,
                townships=sum(count for _, submits, count, *_ in parts if submits),
                submitted=states[month, MonthState.SUBMITTED] + accepted,
                accepted=accepted,
                snapshot=snapshots.get(month),
            )
        )
    return rows
