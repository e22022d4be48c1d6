"""Reads what lies behind due lines, for a page at once: the number of queries does not grow with the page."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from catalog.choices import Start, ValueKind
from catalog.models import DatedValue, ItemVersion
from catalog.rule_basis import Basis, bases_of, values_around
from eldercare.facts import month_last_day
from eldercare.models import Circumstance, MonthlyFacts
from subsidies.change_reason import Act, Change, Figure, Held, Reason, Stand, Terms, change_reason
from subsidies.choices import Outcome
from subsidies.explanation import facts_of
from subsidies.models import Enrolment, Entitlement, Month

NOTHING: Final = Decimal("0.00")
Key = tuple[int, int, date]


@dataclass(frozen=True)
class DueLine:
    """One due line: 元 > 0 to pay, < 0 to recover."""

    elder_id: int
    item_id: int
    month: date
    amount: Decimal

    @property
    def key(self) -> Key:
        """Elder, item and month."""
        return self.elder_id, self.item_id, self.month


def change_reasons(*, county_code: str, lines: Iterable[DueLine]) -> dict[Key, Reason]:
    """Elder, item and month → why the line is due. 6 queries for a page of lines."""
    lines = list(lines)
    if not lines:
        return {}
    history = _History(county_code, lines)
    return {line.key: change_reason(history.change(line)) for line in lines if line.month in history.months}


class _History:
    """Everything about the lines' elders, items and months, read at once."""

    def __init__(self, county_code: str, lines: Sequence[DueLine]) -> None:
        elders = {line.elder_id for line in lines}
        items = {line.item_id for line in lines}
        wanted = {line.month for line in lines}
        months = Month.objects.filter(county_code=county_code, month__in=wanted, revision__gt=0)
        self.months = {row.month: row for row in months}
        self.decided: dict[Key, list[Entitlement]] = defaultdict(list)
        rows = Entitlement.objects.filter(
            county_code=county_code, month__in=wanted, elder__in=elders, item__in=items
        )
        self.versions: dict[int, ItemVersion] = {}
        for row in rows.select_related("winner", "item_version__item__document"):
            self.decided[row.elder_id, row.item_id, row.month].append(row)
            self.versions[row.item_version_id] = row.item_version
        self.facts: dict[tuple[int, date], list[MonthlyFacts]] = defaultdict(list)
        for facts in MonthlyFacts.objects.filter(county_code=county_code, month__in=wanted, elder__in=elders):
            self.facts[facts.elder_id, facts.month].append(facts)
        self.held: dict[int, list[Held]] = defaultdict(list)
        self.registered: dict[int, date] = {}
        for each in Circumstance.objects.filter(elder__in=elders).select_related("elder").order_by("-valid"):
            self.registered[each.elder_id] = timezone.localdate(each.elder.created_at)
            self.held[each.elder_id].append(
                Held(each.kind, each.value, each.valid.lower, each.valid.upper, each.source, each.document)
            )
        self.enrolled: dict[tuple[int, int], date] = {}
        self.acts: dict[tuple[int, int], list[Act]] = defaultdict(list)
        acts = Enrolment.objects.filter(elder__in=elders, item__in=items).order_by(
            "first_month", "events__id"
        )
        for elder, item, first, action, reason, month, at in acts.values_list(
            "elder_id",
            "item_id",
            "first_month",
            "events__action",
            "events__reason",
            "events__month",
            "events__at",
        ):
            self.enrolled.setdefault((elder, item), first)
            if action is not None:
                self.acts[elder, item].append(Act(action, reason, month, timezone.localdate(at)))
        self.values = values_around(county_code)
        self.bases = bases_of(versions=self.versions.values(), values=self.values)

    def change(self, line: DueLine) -> Change:
        """The line's month as it was when it was settled, beside what it is now."""
        month = self.months[line.month]
        after = self._due(line.key, month.revision)
        settled = after - line.amount
        revision = self._settled_at(line.key, month, settled)
        before, now = self._stand(line.key, revision), self._stand(line.key, month.revision)
        versions = [self.versions.get(v) for v in (now.version_id, before.version_id) if v is not None]
        version = next((v for v in versions if v is not None), None)
        basis = Basis()
        for each in versions:
            basis |= self.bases[each.pk] if each is not None else Basis()
        pair = line.elder_id, line.item_id
        return Change(
            month=line.month,
            settled=settled,
            before=before,
            after=now,
            basis=basis,
            held=self.held[line.elder_id],
            acts=self.acts[pair],
            enrolled_from=self.enrolled.get(pair),
            terms=_terms(version) if version else None,
            figures=_figures(self.values, basis, line.month),
            registered=self.registered.get(line.elder_id, date.min),
        )

    def _settled_at(self, key: Key, month: Month, settled: Decimal) -> int:
        """The last revision that said what was settled; else the one settled, else the last that said otherwise."""
        rows: list[Entitlement | MonthlyFacts] = [*self.decided[key], *self.facts[key[0], key[2]]]
        edges = {row.rev_from for row in rows} | {row.rev_to for row in rows if row.rev_to}
        lasts = sorted({edge - 1 for edge in edges if 1 < edge <= month.revision}, reverse=True)
        now = self._due(key, month.revision)
        for revision in lasts:
            if self._due(key, revision) == settled != now:
                return revision
        if month.settled_revision and self._due(key, month.settled_revision) != now:
            return month.settled_revision
        return next((revision for revision in lasts if self._due(key, revision) != now), month.revision)

    def _due(self, key: Key, revision: int) -> Decimal:
        row = _at(self.decided[key], revision)
        return (row.amount or NOTHING) if row is not None and row.outcome == Outcome.DUE else NOTHING

    def _stand(self, key: Key, revision: int) -> Stand:
        row = _at(self.decided[key], revision)
        return Stand(
            outcome=row.outcome if row else "",
            amount=self._due(key, revision),
            version_id=row.item_version_id if row else None,
            winner=str(row.winner) if row and row.winner else "",
            facts=self._facts(key, revision),
        )

    def _facts(self, key: Key, revision: int) -> Mapping[str, Any] | None:
        """The facts that the item is decided on: 次月 the opening ones, 当月 the closing ones where there are any."""
        rows = [row for row in self.facts[key[0], key[2]] if _valid(row, revision)]
        next_month = self._starts_next_month(key)
        closing = [row for row in rows if row.closing and not next_month]
        found = closing or [row for row in rows if row.opening]
        return facts_of(found[0]) if found else None

    def _starts_next_month(self, key: Key) -> bool:
        rows = self.decided[key]
        version = self.versions.get(rows[-1].item_version_id) if rows else None
        return version is None or version.start == Start.NEXT_MONTH


def _at(rows: Sequence[Entitlement], revision: int) -> Entitlement | None:
    return next((row for row in rows if _valid(row, revision)), None)


def _valid(row: Entitlement | MonthlyFacts, revision: int) -> bool:
    return row.rev_from <= revision and (row.rev_to is None or row.rev_to > revision)


def _terms(version: ItemVersion) -> Terms:
    return Terms(version.item.document.title, version.clause, version.valid.lower)


def _figures(values: Iterable[DatedValue], basis: Basis, month: date) -> list[Figure]:
    """Figures that the amount rests on, as they hold on the month's last day."""
    day = month_last_day(month)
    return [
        Figure(value.name, value.value, value.valid.lower, value.document.title)
        for value in values
        if value.kind != ValueKind.CONDITION and value.name in basis.figures and day in value.valid
    ]
