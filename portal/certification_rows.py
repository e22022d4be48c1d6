"""Names of a round as the page shows them: masked, with village, state and what is known."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils import timezone

from eldercare.facts import completed_years
from organization.models import User
from portal.places import place_names
from subsidies.certifications import (
    DEAD,
    DOUBTED,
    MET,
    OPEN,
    SUSPENDED,
    AreaProgress,
    Names,
    Progress,
    area_progress,
    under,
)
from subsidies.choices import CertificationMode
from subsidies.models import CertificationDue

TONES: Final = {MET: "good", OPEN: "", SUSPENDED: "danger", DOUBTED: "attention", DEAD: ""}


@dataclass(frozen=True)
class DueRow:
    """One name of a round."""

    elder_id: int
    name: str
    id_number: str
    age: int
    place: str
    standing: str
    tone: str
    held: bool
    proof: str

    @property
    def waits(self) -> bool:
        """Whether somebody has to certify the person."""
        return self.standing in {OPEN, SUSPENDED, DOUBTED}


@dataclass(frozen=True)
class PlaceRow:
    """One township or village with its name and figures."""

    code: str
    name: str
    progress: Progress


@dataclass(frozen=True)
class Places:
    """Townships of a round in the user's areas, and the villages of the one that is looked at."""

    townships: list[PlaceRow]
    villages: list[PlaceRow]
    township: str


def due_rows(dues: Iterable[CertificationDue]) -> list[DueRow]:
    """Rows of these names (with `standing`); one query for the names of their villages."""
    dues = list(dues)
    today = timezone.localdate()
    places = place_names(due.area_code for due in dues)
    return [
        DueRow(
            elder_id=due.elder_id,
            name=due.elder.name,
            id_number=due.elder.masked_id_number,
            age=completed_years(due.elder.birth_date, today),
            place=places.get(due.area_code, ""),
            standing=(standing := str(getattr(due, "standing", OPEN))),
            tone=TONES[standing],
            held=due.suspended and standing != MET,
            proof=_proof(due),
        )
        for due in dues
    ]


def places_of(dues: Names, area_code: str, user: User) -> Places:
    """Figures by township, and by village of the chosen or only township."""
    townships = area_progress(dues, 9)
    chosen = area_code[:9].ljust(12, "0") if area_code and area_code[6:9] != "000" else ""
    if not chosen and len(townships) == 1:
        chosen = townships[0].area_code
    villages = area_progress(under(dues, chosen), 12) if chosen else []
    names = place_names(place.area_code for place in [*townships, *villages])
    short = {code: name.split(" ")[-1] for code, name in names.items()}
    return Places(_named(townships, short), _named(villages, short), chosen)


def days_words(days: int) -> str:
    """How far a day is: 还有 3 天, 今天, 已过 2 天."""
    return f"还有 {days} 天" if days > 0 else f"已过 {-days} 天" if days < 0 else "今天"


def _named(places: list[AreaProgress], names: dict[str, str]) -> list[PlaceRow]:
    return [
        PlaceRow(place.area_code, names.get(place.area_code, place.area_code), place.progress)
        for place in places
    ]


def _proof(due: CertificationDue) -> str:
    if due.certification is None:
        return ""
    day: date = due.certification.on
    return f"{day} {CertificationMode(due.certification.mode).value}"
