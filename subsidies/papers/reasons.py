"""Why a line is new, changed or gone against the month before, in plain words for elders and for the office's forms."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from catalog.choices import Start
from catalog.models import ItemVersion
from catalog.rule_basis import Basis, bases_of, values_around
from eldercare.choices import ABILITY_NAMES, NONE, Kind
from eldercare.facts import month_last_day
from eldercare.models import Circumstance, MonthlyFacts
from eldercare.vocabulary import FACT_COLUMNS
from subsidies.choices import EnrolmentAction, Outcome, ResumeReason, StopReason
from subsidies.explanation import facts_of
from subsidies.models import EnrolmentEvent, Entitlement, Month

GONE: Final = ((Kind.DEATH, "去世", StopReason.DEATH), (Kind.MOVED_OUT, "户籍迁出", StopReason.MOVED))
STATUSES: Final = {"特困供养", "低保", "低保边缘", "低收入"}
STOPPING: Final = (EnrolmentAction.STOP, EnrolmentAction.SUSPEND)
STARTING: Final = (EnrolmentAction.START, EnrolmentAction.RESUME)
SAID: Final = 2
DEGREES: Final = ("", "一级", "二级", "三级", "四级")
Pair = tuple[int, int]
Readings = dict[tuple[int, bool], Mapping[str, Any]]


@dataclass(frozen=True)
class Why:
    """The form's code and a sentence."""

    cause: StopReason
    text: str


class Reasons:
    """Everything that tells why lines of a month differ from the month before; a fixed number of queries."""

    def __init__(self, month: Month, before: Month, elders: Iterable[int]) -> None:
        self.month, self.last = month, month_last_day(month.month)
        wanted = set(elders)
        self.now = {row.month: row for row in (before, month)}
        rows = Entitlement.objects.of(month).filter(elder__in=wanted).select_related("winner")
        self.lines = {(row.elder_id, row.item_id): row for row in rows}
        self.facts = {day: _facts(each, wanted) for day, each in self.now.items()}
        self.before = before.month
        gone = Circumstance.objects.filter(elder__in=wanted, kind__in=[kind for kind, _, _ in GONE])
        self.gone: dict[tuple[int, str], date] = {}
        for circumstance in gone.order_by("valid"):
            if circumstance.valid.lower and circumstance.valid.lower <= self.last:
                self.gone.setdefault((circumstance.elder_id, circumstance.kind), circumstance.valid.lower)
        events = EnrolmentEvent.objects.filter(enrolment__elder__in=wanted).select_related("enrolment")
        self.acts: dict[Pair, list[EnrolmentEvent]] = {}
        for event in events.order_by("id"):
            pair = event.enrolment.elder_id, event.enrolment.item_id
            self.acts.setdefault(pair, []).append(event)
        versions = ItemVersion.objects.filter(item__document__area=month.county_code)
        self.versions = {version.pk: version for version in versions.select_related("item__document")}
        self.bases = bases_of(versions=self.versions.values(), values=values_around(month.county_code))

    def stopped(self, past: Entitlement) -> Why:
        """Why a line of the month before is not due any more."""
        for kind, word, cause in GONE:
            if since := self.gone.get((past.elder_id, kind)):
                return Why(cause, f"{since} {word}，发至当月，次月起停发")
        pair = past.elder_id, past.item_id
        act = self._act(pair, STOPPING)
        now = self.lines.get(pair)
        if act is not None and (now is None or now.outcome == Outcome.SUSPENDED):
            cause = StopReason(act.reason) if act.reason in StopReason.values else StopReason.OTHER
            return Why(cause, "；".join(part for part in (_reason_label(act.reason), act.note) if part))
        if now is not None:
            return _held_back(now)
        changes = list(self._changes(past, past))
        if changes:
            lost = any(name in STATUSES for name, _ in changes)
            cause = StopReason.STATUS_LOST if lost else StopReason.CORRECTED
            return Why(cause, "；".join(text for _, text in changes[:SAID]))
        return Why(StopReason.POLICY, "按现行清单不再符合条件")

    def changed(self, past: Entitlement, now: Entitlement) -> str:
        """Why the amount is another."""
        changes = [text for _, text in self._changes(past, now)]
        if changes:
            return "；".join(changes[:SAID])
        version = self.versions.get(now.item_version_id)
        if version is not None and past.item_version_id != now.item_version_id:
            return f"按《{version.item.document.title}》{version.clause}调整标准"
        return "发放标准调整"

    def new(self, now: Entitlement) -> str:
        """Why the line is due that was not due the month before."""
        act = self._act((now.elder_id, now.item_id), STARTING)
        if act is not None and act.month >= self.before:
            label = _reason_label(act.reason)
            return f"{act.action}享受，自 {act.month:%Y-%m} 起" + (f"（{label}）" if label else "")
        if _read(self.facts[self.before], now.elder_id, closing=True) is None:
            return "本月起列入核定（新登记或迁入）"
        changes = [text for _, text in self._changes(now, now)]
        return "；".join(changes[:SAID]) or "本月起符合条件"

    def _act(self, pair: Pair, actions: tuple[EnrolmentAction, ...]) -> EnrolmentEvent | None:
        """The last act upon the enrolment, if it is one of these."""
        acts = [act for act in self.acts.get(pair, []) if act.month <= self.month.month]
        return acts[-1] if acts and acts[-1].action in actions else None

    def _changes(self, past: Entitlement, now: Entitlement) -> Iterator[tuple[str, str]]:
        """Facts that the item rests on and that are not what they were: name and sentence."""
        basis = self.bases.get(past.item_version_id, Basis()) | self.bases.get(now.item_version_id, Basis())
        version = self.versions.get(now.item_version_id)
        closing = version is not None and version.start == Start.SAME_MONTH
        old, new = (
            _read(self.facts[day], past.elder_id, closing=closing) for day in (self.before, self.month.month)
        )
        if old is None or new is None:
            return
        for column in FACT_COLUMNS:
            name = column.fact.name
            if name in basis.facts and old[name] != new[name]:
                yield name, _change_words(name, old[name], new[name])


def _facts(month: Month, elders: set[int]) -> Readings:
    """Elder and reading (closing or not) → facts on which the month was decided."""
    rows = MonthlyFacts.objects.filter(
        month=month.month, county_code=month.county_code, elder__in=elders, rev_from__lte=month.revision
    )
    found: Readings = {}
    for row in rows:
        if row.rev_to is None or row.rev_to > month.revision:
            found |= {(row.elder_id, reading): facts_of(row) for reading in _readings(row)}
    return found


def _readings(row: MonthlyFacts) -> Iterator[bool]:
    if row.opening:
        yield False
    if row.closing:
        yield True


def _read(facts: Readings, elder_id: int, *, closing: bool) -> Mapping[str, Any] | None:
    """Facts in the reading by which an item is decided; in the other where there is only that one (design §2.2)."""
    return facts.get((elder_id, closing)) or facts.get((elder_id, not closing))


def _held_back(now: Entitlement) -> Why:
    match now.outcome:
        case Outcome.NOT_HIGHEST | Outcome.NOT_FIRST if now.winner is not None:
            return Why(StopReason.DOUBLE, f"与“{now.winner.name}”只能享受一项，改发后者")
        case Outcome.SUSPENDED:
            return Why(StopReason.UNCERTIFIED, "享受登记暂停")
        case Outcome.NOT_APPLIED:
            return Why(StopReason.OTHER, "没有有效的享受登记")
    return Why(StopReason.RECLASSIFIED, "类别复核调整")


def _reason_label(reason: str) -> str:
    for choices in (StopReason, ResumeReason):
        if reason in choices.values:
            return str(choices(reason).label)
    return reason


def _change_words(name: str, old: Any, new: Any) -> str:
    if name == "年龄":
        return f"年满 {new} 周岁"
    if name in {"户籍在本县", "居住在本县"}:
        return f"{name[:2]}已{'在' if new else '不在'}本县"
    return f"{name}由“{_words(name, old)}”变为“{_words(name, new)}”"


def _words(name: str, value: Any) -> str:
    match value:
        case None:
            return "没有有效结果"
        case bool():
            return "是" if value else "否"
        case int() if name == Kind.ABILITY_LEVEL.label and 0 <= value < len(ABILITY_NAMES):
            return ABILITY_NAMES[value]
        case int() if name == Kind.DISABILITY_LEVEL.label and 0 < value < len(DEGREES):
            return DEGREES[value]
    return NONE if value == "" else str(value)
