"""Which visits still stand: a correction or a return takes a record out of every count, whatever came in first.

Of several corrections of one record only the last received can stand; the others stay out whatever becomes of it.
"""

from datetime import datetime


def standing(visit: str, as_of: datetime | None = None) -> str:
    """SQL condition on the alias of a visit: nothing corrects it, no other corrects the same later, nobody returned it.

    as_of: by what was stored at that moment; None: now. Corrections are matched by UUID alone, so that one may come in
    before what it corrects. Later is by (recorded_at, id).
    """
    return (
        f"NOT EXISTS (SELECT FROM visits_visit later WHERE later.corrects_id = {visit}.id"
        f"{stored_by('later.recorded_at', as_of)})"
        f" AND NOT EXISTS (SELECT FROM visits_visit later WHERE later.corrects_id = {visit}.corrects_id"
        " AND later.corrects_id IS NOT NULL"  # lets the planner read the few corrections instead of all visits
        f" AND (later.recorded_at, later.id) > ({visit}.recorded_at, {visit}.id)"
        f"{stored_by('later.recorded_at', as_of)})"
        f" AND NOT EXISTS (SELECT FROM visits_visitreturn sent WHERE sent.visit_id = {visit}.id"
        f"{stored_by('sent.at', as_of)})"
    )


def stored_by(column: str, as_of: datetime | None) -> str:
    """SQL, begun with AND: a moment is not after `as_of`; '' without one."""
    return "" if as_of is None else f" AND {column} <= timestamptz '{as_of.isoformat()}'"
