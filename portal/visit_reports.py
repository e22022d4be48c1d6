"""The month's report as its page shows it: every township's way, and what this user may do with it."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.http import Http404
from django.utils import timezone

from organization.areas import is_county
from organization.choices import Permission
from organization.models import User
from portal.scope import place_of
from visits.choices import MonthAction, MonthState
from visits.models import Obligation, RateSnapshot
from visits.month_table import TRANSITIONS
from visits.querysets import ObligationQuerySet
from visits.rate import Figure
from visits.slots import next_month
from visits.township_figures import TownshipFigure, township_figures


@dataclass(frozen=True)
class ReportRow:
    """One township with the actions that are this user's now."""

    township: TownshipFigure
    actions: frozenset[MonthAction]

    @property
    def may_accept(self) -> bool:
        """It waits for this user's acceptance."""
        return MonthAction.ACCEPT in self.actions

    @property
    def may_send_back(self) -> bool:
        """This user may give it back."""
        return MonthAction.SEND_BACK in self.actions


@dataclass(frozen=True)
class Report:
    """A county's month. submittable: the first day on which it may be submitted; ready: that day has come."""

    rows: list[ReportRow]
    snapshot: RateSnapshot | None
    submittable: date
    ready: bool

    @property
    def accepted(self) -> int:
        """Townships that are through."""
        return sum(row.township.state == MonthState.ACCEPTED for row in self.rows if row.township.submits)

    @property
    def submitting(self) -> int:
        """Townships that have something to submit."""
        return sum(row.township.submits for row in self.rows)

    @property
    def whole(self) -> Figure:
        """All rows together."""
        return sum((row.township.figure for row in self.rows), Figure())

    @property
    def waiting(self) -> list[ReportRow]:
        """What waits for this user's acceptance."""
        return [row for row in self.rows if row.may_accept]


def report_of(user: User, month: date) -> Report:
    """The report of the user's county, with the townships of the user's areas."""
    county = place_of(user).county_code
    snapshot = RateSnapshot.objects.filter(month=month, county_code=county).first()
    prefixes = user.area_prefixes(Permission.VISIT_VIEW)
    found = township_figures(month=month, county_code=county) if county else []
    seen = [figure for figure in found if figure.code.startswith(tuple(prefixes))]
    last = next_month(month) - timedelta(days=1)
    rows = [ReportRow(figure, _actions(user, figure, frozen=snapshot is not None)) for figure in seen]
    return Report(rows, snapshot, last, timezone.localdate() >= last)


def chosen_row(report: Report, user: User, area: str) -> ReportRow | None:
    """The township whose gaps are shown: the asked one, or the only one. Raises Http404 for one out of sight."""
    if area:
        row = next((row for row in report.rows if row.township.code == area), None)
        if row is None:
            raise Http404
        return row
    whole = is_county(place_of(user).area_code)
    return report.rows[0] if len(report.rows) == 1 and not whole else None


def obligations_in(month: date, county: str, township: str) -> ObligationQuerySet:
    """The obligations of a township's month."""
    return Obligation.objects.filter(month=month).of_township(township, county)


def _actions(user: User, figure: TownshipFigure, *, frozen: bool) -> frozenset[MonthAction]:
    if frozen or not figure.submits:
        return frozenset()
    submitter = figure.row.submitted_by_id if figure.row else None
    return frozenset(
        action
        for (state, action), transition in TRANSITIONS.items()
        if state == figure.state
        and any(figure.code.startswith(p) for p in user.area_prefixes(transition.permission))
        and not (transition.by_another and submitter == user.pk)
    )
