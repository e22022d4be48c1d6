"""Random elders with dated changes, drawn from a seed: plain values first, then rows by the thousand."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from django.db.backends.postgresql.psycopg_any import DateRange

from catalog.models import Item
from eldercare.choices import Kind
from eldercare.models import Circumstance, Elder
from operations.crypto import blind_index, encrypt
from subsidies.models import Enrolment
from tests.registry import id_number

DAY = timedelta(days=1)
START = date(2022, 1, 1)
#: kind → (share of elders who ever have it, values)
SHARES: dict[Kind, tuple[float, tuple[str, ...]]] = {
    Kind.DESTITUTE: (0.15, ("分散", "集中")),
    Kind.SELF_CARE: (0.1, ("全自理", "半护理", "全护理")),
    Kind.LOW_INCOME_ALLOWANCE: (0.35, ("是",)),
    Kind.LOW_INCOME_MARGINAL: (0.15, ("是",)),
    Kind.ABILITY_LEVEL: (0.45, ("0", "1", "2", "3", "4")),
    Kind.DISABILITY_LEVEL: (0.35, ("1", "2", "3", "4")),
    Kind.DISABILITY_TYPE: (0.1, ("肢体", "视力")),
    Kind.LONG_TERM_CARE: (0.3, ("是",)),
    Kind.LIVES_ALONE: (0.15, ("是",)),
    Kind.FAMILY_PLANNING: (0.1, ("独生子女死亡", "独生子女伤残")),
    Kind.INSTITUTION: (0.15, ("特困供养机构", "养老机构", "医院")),
    Kind.PENSION: (0.4, ("职工", "城乡居民")),
    Kind.PENSION_IN_PAY: (0.4, ("是",)),
    Kind.HOMELESS: (0.02, ("是",)),
    Kind.DEMENTIA: (0.05, ("是",)),
}


@dataclass
class Span:
    """A value over [first, until); until None: still."""

    value: str
    first: date
    until: date | None

    def holds(self, day: date) -> bool:
        """Tell whether the day lies within."""
        return self.first <= day and (self.until is None or day < self.until)


@dataclass(frozen=True)
class Enrolled:
    """An enrolment as plain values."""

    code: str
    first: date
    last: date | None
    state: str
    held_from: date | None


@dataclass
class Person:
    """An elder as plain values; spans of one kind never overlap. family: elders of one number are one household."""

    serial: int
    birth: date
    family: int
    spans: dict[Kind, list[Span]] = field(default_factory=dict)
    pk: int = 0
    enrolments: list[Enrolled] = field(default_factory=list)

    def at(self, kind: Kind, day: date) -> Span | None:
        """The span of a kind that holds on a day."""
        return next((span for span in self.spans.get(kind, []) if span.holds(day)), None)

    def value(self, kind: Kind, day: date) -> str | None:
        """The value of a kind on a day."""
        span = self.at(kind, day)
        return span.value if span else None


def people(count: int, seed: int, villages: list[str], months: list[date]) -> list[Person]:
    """Draw `count` persons whose births and changes crowd at the edges of the months."""
    random = Random(seed)  # noqa: S311  # test data, not secrets
    days = edge_days(months)
    return [_person(random, serial, count, villages, days) for serial in range(1, count + 1)]


def edge_days(months: list[date]) -> list[date]:
    """Days around the first and the last of each month, and a few inside."""
    edges = [first + n * DAY for first in months for n in (-2, -1, 0, 1, 2, 9, 14, 25)]
    return sorted(set(edges))


def _person(random: Random, serial: int, count: int, villages: list[str], days: list[date]) -> Person:
    person = Person(serial, _birth(random, days), random.randrange(1, max(2, count * 3 // 4)))
    known_since = START if random.random() < 0.85 else random.choice(days)
    person.spans[Kind.HUKOU] = _areas(random, villages, known_since, days)
    if random.random() < 0.15:
        person.spans[Kind.RESIDENCE] = [Span(random.choice(villages), known_since, None)]
    for kind, (share, values) in SHARES.items():
        if random.random() < share:
            person.spans[kind] = _spans(random, values, days)
    if random.random() < 0.06:
        person.spans[Kind.DEATH] = [Span("是", random.choice(days), None)]
    if random.random() < 0.06:
        first = random.choice(days)
        back = random.choice([None, None, first + random.randrange(1, 60) * DAY])
        person.spans[Kind.MOVED_OUT] = [Span("是", first, back)]
    return person


def _birth(random: Random, days: list[date]) -> date:
    """Around the ages that rules name, with birthdays on the edges and 29 February, else anywhere."""
    kind = random.random()
    if kind < 0.08:
        return date(random.choice([1924, 1936, 1940, 1944, 1952, 1956, 1960, 1964]), 2, 29)
    if kind < 0.75:
        age = random.choice([60, 60, 65, 70, 70, 80, 80, 80, 100])
        day = random.choice(days)
        return _on(day.year - age, day.month, day.day)
    return date(random.randrange(1922, 1968), random.randrange(1, 13), random.randrange(1, 29))


def _on(year: int, month: int, day: int) -> date:
    return date(year, month, 28 if (month, day) == (2, 29) and year % 4 else day)


def _areas(random: Random, villages: list[str], since: date, days: list[date]) -> list[Span]:
    later = [day for day in days if day > since]
    if later and random.random() < 0.12:
        move = random.choice(later)
        return [Span(random.choice(villages), since, move), Span(random.choice(villages), move, None)]
    return [Span(random.choice(villages), since, None)]


def _spans(random: Random, values: tuple[str, ...], days: list[date]) -> list[Span]:
    """One to three spans one after the other, with or without gaps; a year-old start lets assessments expire."""
    a_year_before = [_on(day.year - 1, day.month, day.day) for day in days]
    cuts = sorted(set(random.sample([START, *a_year_before, *days], random.choice([1, 1, 2, 3, 4]))))
    spans = [
        Span(random.choice(values), first, until) for first, until in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    return [*spans, Span(random.choice(values), cuts[-1], None)] if len(cuts) % 2 else spans


def store(persons: list[Person]) -> None:
    """Write persons and circumstances; gives each person its primary key."""
    today = date(2099, 1, 1)
    elders = [
        Elder(
            id_number_cipher=encrypt(
                number := id_number(p.birth, p.serial, area=f"99{p.serial // 1000:04d}")
            ),
            id_number_index=blind_index(number),
            id_last4=number[-4:],
            name=f"测{p.serial}",
            pinyin="",
            sex="男" if int(number[16]) % 2 else "女",
            birth_date=p.birth,
            hukou_code=p.value(Kind.HUKOU, today) or "",
            residence_code=p.value(Kind.RESIDENCE, today) or p.value(Kind.HUKOU, today) or "",
            household_key=blind_index(f"家{p.family}"),
        )
        for p in persons
    ]
    for person, elder in zip(persons, Elder.objects.bulk_create(elders, batch_size=1000), strict=True):
        person.pk = elder.pk
    Circumstance.objects.bulk_create(
        [
            Circumstance(
                elder_id=p.pk, kind=kind, value=s.value, valid=DateRange(s.first, s.until), source="测试"
            )
            for p in persons
            for kind, spans in p.spans.items()
            for s in spans
        ],
        batch_size=5000,
    )


def enrol_some(persons: list[Person], codes: list[str], months: list[date], seed: int) -> None:
    """Give stored persons none to three enrolments per item, of every state, and write them."""
    random = Random(seed)  # noqa: S311  # test data, not secrets
    items = dict(Item.objects.filter(code__in=codes).values_list("code", "pk"))
    for person in persons:
        for code in items:
            starts = random.sample(months, random.choice([0, 0, 0, 1, 1, 2, 3]))
            person.enrolments += [_enrolled(random, code, first, months) for first in starts]
    Enrolment.objects.bulk_create(
        [
            Enrolment(
                elder_id=person.pk,
                item_id=items[row.code],
                first_month=row.first,
                last_month=row.last,
                state=row.state,
                suspended_from=row.held_from,
            )
            for person in persons
            for row in person.enrolments
        ],
        batch_size=5000,
    )


def _enrolled(random: Random, code: str, first: date, months: list[date]) -> Enrolled:
    state = random.choice(["享受中", "享受中", "暂停", "暂停", "终止"])
    later = [month for month in months if month >= first]
    last = random.choice(later) if state == "终止" or random.random() < 0.2 else None
    held = random.choice(later) if state != "享受中" and random.random() < 0.6 else None
    return Enrolled(code, first, last, state, held)
