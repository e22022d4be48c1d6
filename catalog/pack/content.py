"""What a pack says, as frozen values. valid_from: the first, valid_to: the last day in force."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from catalog.choices import (
    Application,
    Comparator,
    FindingGroup,
    Form,
    ItemType,
    Per,
    Risk,
    Start,
    Strategy,
    Subject,
    Track,
    ValueKind,
)


@dataclass(frozen=True, slots=True)
class PackDocument:
    code: str
    title: str
    number: str
    issued: date
    area: str
    parent: str
    note: str


@dataclass(frozen=True, slots=True)
class PackBureau:
    code: str
    name: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dated:
    """Something in force over a range of days; `key` tells what it is a version of."""

    valid_from: date
    valid_to: date | None

    @property
    def key(self) -> str:
        raise NotImplementedError

    @property
    def content(self) -> str:
        """Everything that may not change under a published day, in one comparable text."""
        raise NotImplementedError

    @property
    def until(self) -> date | None:
        """First day no longer in force."""
        return None if self.valid_to is None else self.valid_to + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PackValue(Dated):
    """A parameter, a rate (both numbers as plain text) or a condition (rule text)."""

    kind: ValueKind
    name: str
    value: str
    note: str
    where: str = field(compare=False)

    @property
    def key(self) -> str:
        return self.name

    @property
    def content(self) -> str:
        return as_text([self.kind.value, self.value])


@dataclass(frozen=True, slots=True)
class PackAmount:
    """元 per month if the condition holds (None: always); both are texts of the rule language."""

    condition: str | None
    pay: str

    @property
    def fixed(self) -> Decimal | None:
        """The figure, if it is one and no formula."""
        return Decimal(self.pay) if self.pay.replace(".", "", 1).isdecimal() else None


@dataclass(frozen=True, slots=True)
class PackItem(Dated):
    """One row of the list; lead and joined: printed names of bureaus, rule is '' where nobody is decided."""

    code: str
    number: int
    name: str
    type: ItemType
    form: Form
    subject: Subject
    covers: tuple[str, ...]
    printed: str
    note: str
    lead: str
    joined: tuple[str, ...]
    clause: str
    summary: str
    rule: str
    amounts: tuple[PackAmount, ...]
    minimum: bool
    pending: bool
    application: Application
    start: Start
    lookback: int
    track: Track

    @property
    def key(self) -> str:
        return self.code

    @property
    def content(self) -> str:
        """Digest of the published version; covers, printed and note are our remarks and may be mended."""
        said = [
            [self.number, self.name, self.type.value, self.form.value, self.subject.value],
            [self.lead, *self.joined],
            [self.clause, self.summary, self.rule],
            [[amount.condition, amount.pay] for amount in self.amounts],
            [
                self.minimum,
                self.pending,
                self.application.value,
                self.start.value,
                self.lookback,
                self.track.value,
            ],
        ]
        return hashlib.sha256(as_text(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PackExclusion(Dated):
    code: str
    name: str
    strategy: Strategy
    items: tuple[str, ...]
    note: str

    @property
    def key(self) -> str:
        return self.code

    @property
    def content(self) -> str:
        return as_text([self.strategy.value, list(self.items)])


@dataclass(frozen=True, slots=True)
class PackTier(Dated):
    code: str
    name: str
    rule: str
    times: int
    per: Per
    modes: tuple[str, ...]
    in_person: int
    grace_days: int
    order: int
    clause: str
    note: str

    @property
    def key(self) -> str:
        return self.code

    @property
    def content(self) -> str:
        said = [self.name, self.rule, self.times, self.per.value, list(self.modes)]
        return as_text([*said, self.in_person, self.grace_days, self.order])


@dataclass(frozen=True, slots=True)
class PackFinding(Dated):
    """A word for what a visit may find; bureau: the printed name of who sees to it, '' where the village does."""

    code: str
    name: str
    group: FindingGroup
    risk: Risk
    bureau: str
    hours: int
    order: int

    @property
    def key(self) -> str:
        return self.code

    @property
    def content(self) -> str:
        return as_text([self.name, self.group.value, self.risk.value, self.bureau, self.hours, self.order])


@dataclass(frozen=True, slots=True)
class PackTarget:
    code: str
    name: str
    comparator: Comparator
    value: Decimal
    unit: str
    due: date | None
    indicator: str
    clause: str
    note: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A whole pack; one with `faults` holds stand-ins in the faulty places and is never loaded."""

    document: PackDocument
    bureaus: tuple[PackBureau, ...]
    values: tuple[PackValue, ...]
    items: tuple[PackItem, ...]
    exclusions: tuple[PackExclusion, ...]
    tiers: tuple[PackTier, ...]
    findings: tuple[PackFinding, ...]
    targets: tuple[PackTarget, ...]
    faults: tuple[str, ...] = ()


def as_text(said: object) -> str:
    """Write lists of plain values in one canonical way."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
