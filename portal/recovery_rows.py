"""Recovery cases as pages show them: lists, candidates, one case, and the part of an elder's record."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat, Left
from django.http import QueryDict

from catalog.models import Item
from eldercare.models import Elder
from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import Area, User
from portal.filtersets import AREA
from portal.places import place_names
from subsidies.balance import overpaid
from subsidies.change_history import DueLine, change_reasons
from subsidies.choices import LineKind, RecoveryEntryKind, RecoveryState, StopReason
from subsidies.models import Adjustment, Month, Recovery, RecoveryEntry, RecoveryLine, RecoveryRequest
from subsidies.recovery_selectors import OPEN, Candidate, candidates_of, overdue_on, planned_offsets
from subsidies.recovery_state import NOTHING

WHOLE: Final = re.compile(r"\d{1,9}\Z", re.ASCII)
TONES: Final = {
    RecoveryState.PROPOSED: "attention",
    RecoveryState.NOTIFIED: "info",
    RecoveryState.PARTLY: "info",
    RecoveryState.SETTLED: "good",
}


@dataclass(frozen=True)
class CaseRow:
    """One case of a list; `returned` and `left` come with the case."""

    case: Any
    place: str
    tone: str
    overdue: bool


@dataclass(frozen=True)
class CandidateRow:
    """One elder and item that have no case yet."""

    candidate: Candidate
    place: str


@dataclass(frozen=True)
class LineRow:
    """One line of a case with the reason of its month."""

    line: RecoveryLine
    reason: str


@dataclass(frozen=True)
class EntryRow:
    """One entry of a case; reversible: nothing has taken it back, and its kind can be."""

    entry: RecoveryEntry
    reversed: bool
    reversible: bool


@dataclass(frozen=True)
class CasePage:
    """Everything that the page of a case shows."""

    case: Any
    place: str
    tone: str
    overdue: bool
    lines: list[LineRow]
    entries: list[EntryRow]
    requests: list[RecoveryRequest]
    waiting: RecoveryRequest | None
    planned: Decimal


@dataclass(frozen=True)
class OverpaidRow:
    """What an elder was paid too much for one item, not yet in a case."""

    item: Item
    months: int
    first: date
    amount: Decimal


def filtered(cases: QuerySet[Recovery], params: QueryDict, today: date) -> QuerySet[Recovery]:
    """Cases by state, cause, item, area, and whether they are open or past their date; nonsense finds nothing."""
    state, cause, item, area, due = (
        params.get(name, "") for name in ("state", "cause", "item", "area", "due")
    )
    dues = {"": Q(), "open": Q(state__in=OPEN), "overdue": overdue_on(today)}
    known = (
        state in {"", *RecoveryState.values}
        and cause in {"", *StopReason.values}
        and due in dues
        and (not item or WHOLE.match(item))
        and (not area or AREA.match(area))
    )
    if not known:
        return cases.none()
    found = cases.filter(dues[due])
    found = found.filter(state=state) if state else found
    found = found.filter(cause=cause) if cause else found
    found = found.filter(item=int(item)) if item else found
    return found.filter(area_code__startswith=area_prefix(area)) if area else found


def case_rows(cases: Iterable[Recovery], today: date) -> list[CaseRow]:
    """A page of a list; one query for the places."""
    found = list(cases)
    places = place_names(case.area_code for case in found)
    return [
        CaseRow(case, places.get(case.area_code, ""), _tone(case), _overdue(case, today)) for case in found
    ]


def candidate_page(run: Month, rows: Sequence[dict[str, Any]]) -> list[CandidateRow]:
    """A page of candidates with names."""
    found = candidates_of(run, rows)
    places = place_names(row.area_code for row in found)
    return [CandidateRow(row, places.get(row.area_code, "")) for row in found]


def case_page(case: Any, today: date) -> CasePage:
    """One case of a `recovery_list` named by `with_places`, with its lines, entries and requests."""
    lines = list(case.lines.all())
    due = [
        DueLine(line.elder_id, line.item_id, line.month, -line.amount) for line in lines if line.amount > 0
    ]
    reasons = change_reasons(county_code=case.county_code, lines=due)
    entries = list(case.entries.select_related("actor", "payment__batch", "reverses"))
    taken_back = {entry.reverses_id for entry in entries if entry.reverses_id}
    requests = list(case.requests.select_related("made_by", "decided_by").order_by("-pk"))
    return CasePage(
        case=case,
        place=" ".join(name for name in (case.township, case.village) if name),
        tone=_tone(case),
        overdue=_overdue(case, today),
        lines=[_line_row(line, reasons) for line in lines],
        entries=[_entry_row(entry, taken_back) for entry in entries],
        requests=requests,
        waiting=next((request for request in requests if request.approved is None), None),
        planned=planned_offsets(elder_id=case.elder_id, county_code=case.county_code)
        if case.consent_id
        else NOTHING,
    )


def overpaid_rows(run: Month, elder: Elder, cases: Iterable[Recovery]) -> list[OverpaidRow]:
    """What an elder was paid too much by the newest facts and none of the cases claims, by item."""
    sums: dict[int, list[tuple[date, Decimal]]] = {}
    for balance in overpaid(run=run, elder_ids=[elder.pk]):
        sums.setdefault(balance.item_id, []).append((balance.month, -balance.line))
    claimed = {case.item_id for case in cases if case.run_id == run.pk}
    listed = Adjustment.objects.filter(run=run, elder=elder, kind=LineKind.RECOVERY)
    for line in listed.exclude(item__in=[*sums, *claimed]):
        sums.setdefault(line.item_id, []).append((line.month, -line.amount))
    items = Item.objects.in_bulk(sums)
    return [
        OverpaidRow(
            item=items[item_id],
            months=len(months),
            first=min(month for month, _ in months),
            amount=sum((amount for _, amount in months), NOTHING),
        )
        for item_id, months in sums.items()
    ]


def with_places(cases: QuerySet[Recovery]) -> QuerySet[Recovery]:
    """The cases, each with the names of its `township` and `village`."""
    township = Area.objects.filter(code=Concat(Left(OuterRef("area_code"), 9), Value("000")))
    village = Area.objects.filter(code=OuterRef("area_code"))
    return cases.annotate(
        township=Subquery(township.values("name")[:1]), village=Subquery(village.values("name")[:1])
    )


def elders_cases(elder: Elder, cases: QuerySet[Recovery]) -> list[Recovery]:
    """The elder's cases among those that the user sees."""
    return list(cases.filter(elder=elder).select_related("item"))


def may_open(user: User, run: Month, pairs: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of the pairs those whose elder lives, or was paid, within the user's areas."""
    wanted = set(pairs)
    prefixes = tuple(user.area_prefixes(Permission.RECOVERY_MANAGE))
    if not prefixes:
        return set()
    elders = {elder for elder, _ in wanted}
    visible = Elder.objects.visible_to(user, Permission.RECOVERY_MANAGE).filter(pk__in=elders)
    known = set(visible.values_list("pk", flat=True))
    lines = Adjustment.objects.filter(run=run, elder__in=elders - known).values_list("elder_id", "area_code")
    known |= {elder for elder, area in lines if area.startswith(prefixes)}
    return {pair for pair in wanted if pair[0] in known}


def _tone(case: Recovery) -> str:
    return TONES.get(RecoveryState(case.state), "")


def _overdue(case: Recovery, today: date) -> bool:
    return case.left > 0 and case.pay_by is not None and case.pay_by < today  # type: ignore[attr-defined]  # annotated


def _line_row(line: RecoveryLine, reasons: dict[Any, Any]) -> LineRow:
    if line.amount < 0:
        return LineRow(line, "撤销追缴，冲回本月")
    reason = reasons.get((line.elder_id, line.item_id, line.month))
    return LineRow(line, reason.text if reason else "按立案时的核定结果")


def _entry_row(entry: RecoveryEntry, taken_back: set[int | None]) -> EntryRow:
    back = entry.pk in taken_back
    kinds = (RecoveryEntryKind.REPAID, RecoveryEntryKind.WRITE_OFF)
    return EntryRow(entry, back, not back and entry.kind in kinds)
