"""What happens to the county from month to month, as the update files tell it: deaths, moves, new and lost help."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from eldercare.choices import Sex
from eldercare.facts import month_last_day
from eldercare.identity import check_character
from portal.demo.areas import NEIGHBOUR_VILLAGE
from portal.demo.chance import chance
from portal.demo.people import ABILITY_LEVELS, Person, Population

# Cases a month among 5,000 elders.
PER: Final = 5_000
DEATHS, LATE_DEATHS, MOVES, NEWCOMERS = 15, 2, 3, 24
NEW_ALLOWANCE, LOST_ALLOWANCE, BACKDATED_ALLOWANCE = 5, 4, 2
ASSESSMENTS, ADMISSIONS, ALONE = 30, 3, 6
EIGHTY: Final = 80


def months_until(last: date, count: int) -> list[date]:
    """Return the first days of `count` months, the last one being the month of `last`."""
    index = last.year * 12 + last.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(index - count + 1, index + 1)]


def month_before(month: date) -> date:
    """Return the first day of the month before."""
    return months_until(month, 2)[0]


def misdated_pair(months: Sequence[date], village: str) -> list[Person]:
    """Two elders whose ID numbers hold no real date and whose birthdays were first noted wrongly.

    The first is older than noted and is owed 高龄津贴; the second younger and has to give it back.
    """
    # far enough from both ends of the window that eighty is reached clearly before or after it
    before, after = months[0] - timedelta(days=100), months[-1] + timedelta(days=100)
    return [
        _misdated(1, "魏㐂", Sex.MALE, village, after),
        _misdated(2, "覃桂𠮷", Sex.FEMALE, village, before),
    ]


def corrected(pair: Sequence[Person]) -> list[Person]:
    """Return the two with the birthdays that their papers prove."""
    births = [person.birth for person in pair]
    return [
        replace(person, birth=birth, note="出生日期按户口簿更正")
        for person, birth in zip(pair, births[::-1], strict=True)
    ]


class Changes:
    """Draws each month's changes; `people` is the county as last told, by ID number."""

    def __init__(self, *, seed: int, people: Sequence[Person], population: Population) -> None:
        self.random = chance(seed, "changes")
        self.population = population
        self.people = {person.number: person for person in people}
        self.scale = len(people) / PER
        # An elder's story has one turn at most, so that no row contradicts an earlier one.
        self.told: set[str] = set()

    def of_month(self, month: date, *, first: date) -> list[Person]:
        """Return the rows of the file that is sent at the start of a month about the month before it.

        first: the first month of the story; nothing is told of the time before it.
        """
        past = month_before(month)
        earlier = max(month_before(past), first)
        rows = [
            *self._deaths(past, DEATHS),
            *self._deaths(earlier, LATE_DEATHS, _is_eighty(earlier), note="死亡迟报"),
            *self._moves(past),
            *self._changed(past, NEW_ALLOWANCE, _is_poor_candidate, allowance=True),
            *self._changed(past, LOST_ALLOWANCE, lambda person: person.allowance, allowance=False),
            *self._backdated(earlier),
            *self._assessed(past),
            *self._changed(
                past, ADMISSIONS, lambda person: person.ability is not None, institution="养老机构"
            ),
            *self._changed(
                past, ALONE, lambda person: not person.living and not person.institution, living=("独居",)
            ),
            *self._newcomers(past),
        ]
        self.people.update((person.number, person) for person in rows)
        self.told.update(person.number for person in rows)
        return rows

    def _deaths(
        self, month: date, count: int, who: Callable[[Person], bool] | None = None, note: str = ""
    ) -> Iterator[Person]:
        for person in self._take(count, who, self._frailty):
            yield replace(person, death=self._day(month), note=note)

    def _moves(self, month: date) -> Iterator[Person]:
        for person in self._take(MOVES, None):
            yield replace(person, moved_out=self._day(month))

    def _changed(
        self, past: date, count: int, who: Callable[[Person], bool], **news: Any
    ) -> Iterator[Person]:
        for person in self._take(count, who):
            yield replace(person, since=self._day(past), **news)

    def _backdated(self, earlier: date) -> Iterator[Person]:
        """低保 granted with effect from an earlier month to elders over eighty: 养老服务补贴 is owed for it."""
        is_eighty = _is_eighty(earlier)
        for person in self._take(BACKDATED_ALLOWANCE, lambda one: _is_poor_candidate(one) and is_eighty(one)):
            yield replace(person, allowance=True, since=earlier, note="低保追溯认定")

    def _assessed(self, past: date) -> Iterator[Person]:
        for person in self._take(ASSESSMENTS, _is_eighty(past)):
            yield replace(person, ability=ABILITY_LEVELS.draw(self.random), assessed=self._day(past))

    def _newcomers(self, past: date) -> Iterator[Person]:
        """Who turned sixty in the month before."""
        for _ in range(self._scaled(NEWCOMERS)):
            yield self.population.single(self._day(past.replace(year=past.year - 60)))

    def _take(
        self, count: int, who: Callable[[Person], bool] | None, weigh: Callable[[Person], float] | None = None
    ) -> list[Person]:
        """Pick elders of whom nothing was told yet."""
        pool = [
            person
            for person in self.people.values()
            if person.is_present and person.number not in self.told and (who is None or who(person))
        ]
        if weigh is None:
            taken = self.random.sample(pool, min(self._scaled(count), len(pool)))
        else:
            # the heavier, the sooner: a draw without putting back
            taken = sorted(pool, key=lambda person: self.random.expovariate(weigh(person)))[
                : self._scaled(count)
            ]
        self.told.update(person.number for person in taken)
        return taken

    def _frailty(self, person: Person) -> float:
        return float(max(2, self.population.as_of.year - person.birth.year - 56) ** 2)

    def _day(self, month: date) -> date:
        return month.replace(day=self.random.randint(1, month_last_day(month).day))

    def _scaled(self, count: int) -> int:
        return max(1, round(count * self.scale))


def _is_poor_candidate(person: Person) -> bool:
    return not (person.allowance or person.marginal or person.destitute) and person.hukou != NEIGHBOUR_VILLAGE


def _is_eighty(month: date) -> Callable[[Person], bool]:
    return lambda person: month.year - person.birth.year > EIGHTY


def _misdated(sequence: int, name: str, sex: Sex, village: str, eighty: date) -> Person:
    birth = eighty.replace(year=eighty.year - EIGHTY, day=min(eighty.day, 28))
    first17 = f"990199{birth.year}0230{sequence:03d}"
    return Person(
        number=first17 + check_character(first17),
        name=name,
        sex=sex,
        birth=birth,
        hukou=village,
        stated_birth=True,
        pension="城乡居民",
        note="证件号码中的日期不存在，已核对证件",
    )
