"""Deaths and moves that a visit reported and nobody has confirmed yet: such an elder is not paid unseen.

Read from the open follow-ups, so that payments are held from the moment the report comes in, and no longer than it
takes to decide it.
"""

from collections.abc import Iterable
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from organization.querysets import in_areas
from subsidies.choices import AnomalyKind
from visits.choices import OPEN_FOLLOW_UP, FollowUpKind, Result
from visits.models import FollowUp

#: Kind of the anomaly → kind of the follow-up and what the visit reported. Who lives in an institution is still paid.
REPORTS: Final = {
    AnomalyKind.REPORTED_DEATH: (FollowUpKind.DEATH, Result.DECEASED),
    AnomalyKind.REPORTED_MOVE: (FollowUpKind.MOVED_OUT, Result.MOVED_OUT),
}


def reported_select() -> str:
    """SELECT elder_id, kind (of the anomaly), event_day (as told, or NULL) of every report still to be checked."""
    kinds = " ".join(f"WHEN '{follow_up}' THEN '{kind}'" for kind, (follow_up, _) in REPORTS.items())
    pairs = ", ".join(f"('{follow_up}', '{result}')" for follow_up, result in REPORTS.values())
    states = ", ".join(f"'{state}'" for state in OPEN_FOLLOW_UP)
    return f"""
        SELECT f.elder_id, CASE f.kind {kinds} END AS kind, v.event_day
        FROM visits_followup f JOIN visits_visit v ON v.id = f.visit_id
        WHERE f.state IN ({states}) AND (f.kind, v.result) IN ({pairs})"""


def reports_open(prefixes: Iterable[str]) -> QuerySet[FollowUp]:
    """Reports still to be checked in these areas, which hold payments now, whether or not a run has met them.

    Of who lives in the areas, and of who has the 户籍 and so the payments there.
    """
    found = FollowUp.objects.none()
    for kind in REPORTS:
        found |= _open_reports(kind)
    return in_areas(found, prefixes, "area_code", "elder__hukou_code")


def still_standing() -> Q:
    """Condition on an anomaly: it is no report that was decided, or corrected to something else, since it was found."""
    waiting = Q(pk__in=[])
    for kind in REPORTS:
        waiting |= Q(kind=kind) & Q(Exists(_open_reports(kind).filter(elder=OuterRef("elder"))))
    return ~Q(kind__in=REPORTS) | waiting


def _open_reports(kind: AnomalyKind) -> QuerySet[FollowUp]:
    """Reports of one kind still to be checked; the same as `reported_select`."""
    follow_up, result = REPORTS[kind]
    return FollowUp.objects.filter(kind=follow_up, visit__result=result, state__in=OPEN_FOLLOW_UP)
