"""What the demonstration tells: who is in the first roster and what every later file says, from one seed."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from portal.demo.areas import COUNTY, AreaRow, county_areas, village_codes
from portal.demo.chance import chance
from portal.demo.people import Person, Population
from portal.demo.roster import RosterWriter
from portal.demo.updates import Changes, corrected, misdated_pair, month_before, months_until

MONTHS: Final = 6
CORRECTED_IN: Final = 3


@dataclass(frozen=True)
class RosterFile:
    """A file as the clerk sends it: rows, and the day from which they hold."""

    name: str
    as_of: date
    people: tuple[Person, ...]


@dataclass(frozen=True)
class Story:
    """The whole demonstration. files: months[i] begins with files[i]; the first file is the roster itself."""

    seed: int
    months: tuple[date, ...]
    areas: tuple[AreaRow, ...]
    files: tuple[RosterFile, ...]
    gone: dict[str, date]

    @property
    def people(self) -> tuple[Person, ...]:
        """Who is in the first roster."""
        return self.files[0].people

    def xlsx(self, file: RosterFile) -> bytes:
        """Return the workbook of one file."""
        return RosterWriter(chance(self.seed, file.name), self.areas).xlsx(file.people)


def story_of(*, elders: int, seed: int, today: date) -> Story:
    """Invent the county: six months that end with the current one, a roster, and an update for each later month."""
    months, areas = months_until(today, MONTHS), county_areas(seed)
    as_of, villages = month_before(months[0]), village_codes(areas, COUNTY)
    pair = misdated_pair(months, villages[-1])
    population = Population(seed=seed, villages=villages, as_of=as_of)
    people = list(population.draw(max(elders - len(pair), 0)))
    changes = Changes(seed=seed, people=people, population=population)
    files = [RosterFile(f"青禾县老年人花名册_{as_of:%Y-%m}.xlsx", as_of, (*people, *pair))]
    for position, month in enumerate(months[1:], 1):
        rows = changes.of_month(month, first=months[0])
        rows += corrected(pair) if position == CORRECTED_IN else []
        files.append(RosterFile(f"青禾县老年人变动_{month:%Y-%m}.xlsx", month, tuple(rows)))
    gone = {
        person.number: day
        for file in files
        for person in file.people
        if (day := person.death or person.moved_out) is not None
    }
    return Story(seed, tuple(months), tuple(areas), tuple(files), gone)
