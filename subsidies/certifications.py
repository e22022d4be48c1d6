"""Reads of 生存认证: rounds with n/N, the names due, reminders by township, and whom nobody could confirm alive."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Left

from eldercare.choices import Kind
from eldercare.models import Circumstance, Elder
from organization.areas import area_prefix, county_code
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from subsidies.models import Certification, CertificationDue, CertificationRound

ROUNDS: Final = 24
#: A name is called due soon so many days before the round's last day.
SOON: Final = timedelta(days=15)

MET, OPEN, SUSPENDED, DEAD, DOUBTED = "已认证", "待认证", "已暂停", "已故", "未能确认"
STATES: Final = (OPEN, SUSPENDED, DOUBTED, MET, DEAD)


@dataclass(frozen=True)
class Progress:
    """Names of a round in an area. listed = met + open + exempt (dead); suspended: of the open ones."""

    listed: int
    met: int
    open: int
    suspended: int
    exempt: int

    @property
    def due(self) -> int:
        """The denominator: who has to be certified."""
        return self.listed - self.exempt

    @property
    def percent(self) -> str:
        """Share certified with one decimal, rounded down: 99.96 is 99.9."""
        return f"{self.met * 1000 // self.due / 10:.1f}" if self.due else "—"


@dataclass(frozen=True)
class RoundProgress:
    """A round with its figures in a user's areas. overdue: past its last day with names open."""

    round: CertificationRound
    progress: Progress
    overdue: bool
    days_left: int


@dataclass(frozen=True)
class AreaProgress:
    """One township or village (12-digit code) of a round."""

    area_code: str
    progress: Progress


@dataclass(frozen=True)
class Reminder:
    """A township with names open in a round that has begun. days_left: to the round's last day, negative if past."""

    township: str
    round: CertificationRound
    progress: Progress
    days_left: int

    @property
    def due(self) -> date:
        """The last day in time."""
        return self.round.due

    @property
    def overdue(self) -> int:
        """Persons past the last day."""
        return self.progress.open if self.days_left < 0 else 0

    @property
    def soon(self) -> int:
        """Persons due within SOON."""
        return self.progress.open if 0 <= self.days_left <= SOON.days else 0


Names = QuerySet[Any, Any]


def dues_visible(user: User, permission: Permission = Permission.CERTIFY) -> Names:
    """Names in the user's areas."""
    everyone: Names = CertificationDue.objects.all()
    return in_areas(everyone, user.area_prefixes(permission), "area_code")


def with_standing(dues: Names) -> Names:
    """Add `standing`, the word under which lists show a name."""
    later = Certification.objects.filter(elder=OuterRef("elder"), id__gt=OuterRef("id"))
    doubt = Certification.objects.filter(
        ~Exists(later), elder=OuterRef("elder"), alive=False, on__gte=OuterRef("round__opens")
    )
    named: Names = dues.annotate(
        standing=Case(
            When(certification__isnull=False, then=Value(MET)),
            When(_dead(), then=Value(DEAD)),
            When(Exists(doubt), then=Value(DOUBTED)),
            When(suspended=True, then=Value(SUSPENDED)),
            default=Value(OPEN),
            output_field=CharField(),
        )
    )
    return named


def waiting(dues: Names) -> Names:
    """Names still to be certified; the dead are not."""
    return dues.filter(~_dead(), certification=None)


def round_list(
    user: User, today: date, permission: Permission = Permission.CERTIFY
) -> tuple[list[RoundProgress], list[Reminder]]:
    """Rounds of the user's counties, newest first, and whom to remind in his areas by township. 3 queries."""
    counties = {county_code(prefix) for prefix in user.area_prefixes(permission)}
    rounds = list(
        CertificationRound.objects.filter(county_code__in=counties).order_by("-opens", "-id")[:ROUNDS]
    )
    cells: dict[int, list[AreaProgress]] = {row.pk: [] for row in rounds}
    named = dues_visible(user, permission).filter(round__in=rounds).annotate(place=Left("area_code", 9))
    for cell in _counted(named, "round_id", "place"):
        cells[cell["round_id"]].append(AreaProgress(cell["place"].ljust(12, "0"), _progress(cell)))
    shown = []
    reminders = []
    for row in rounds:
        total, left = total_of(cells[row.pk]), (row.due - today).days
        shown.append(RoundProgress(row, total, left < 0 and total.open > 0, left))
        reminders += [
            Reminder(cell.area_code, row, cell.progress, left)
            for cell in cells[row.pk]
            if cell.progress.open and row.opens <= today and left <= SOON.days
        ]
    return shown, sorted(reminders, key=lambda reminder: (reminder.township, reminder.round.due))


def reminders(user: User, today: date, permission: Permission = Permission.CERTIFY) -> list[Reminder]:
    """Whom to remind in the user's areas, by township and round; the page of rounds shows the same. 3 queries."""
    return round_list(user, today, permission)[1]


def area_progress(dues: Names, digits: int) -> list[AreaProgress]:
    """Figures by township (9 digits) or village (12) of these names."""
    rows = _counted(dues.annotate(place=Left("area_code", digits)), "place")
    found = [AreaProgress(row["place"].ljust(12, "0"), _progress(row)) for row in rows]
    return sorted(found, key=lambda place: place.area_code)


def total_of(places: list[AreaProgress]) -> Progress:
    """The sum of the areas' figures."""
    return Progress(
        *(
            sum(getattr(place.progress, name) for place in places)
            for name in ("listed", "met", "open", "suspended", "exempt")
        )
    )


def certifications_waiting(user: User, today: date, permission: Permission = Permission.CERTIFY) -> int:
    """Persons in the user's areas still to be certified in rounds that have begun."""
    names = waiting(dues_visible(user, permission)).filter(round__opens__lte=today)
    return names.aggregate(n=Count("elder", distinct=True))["n"] or 0


def doubted_list(user: User, permission: Permission = Permission.CERTIFY) -> QuerySet[Elder]:
    """Elders of whom the newest word is that they could not be confirmed alive, no death being registered."""
    later = Certification.objects.filter(elder=OuterRef("elder"), id__gt=OuterRef("id"))
    newest = Certification.objects.filter(~Exists(later), elder=OuterRef("pk"), alive=False)
    dead = Circumstance.objects.filter(elder=OuterRef("pk"), kind=Kind.DEATH)
    return Elder.objects.visible_to(user, permission).filter(Exists(newest), ~Exists(dead))


def under(dues: Names, area_code: str) -> Names:
    """Names of villages under an area."""
    return dues.filter(area_code__startswith=area_prefix(area_code))


def _dead() -> Exists:
    return Exists(Circumstance.objects.filter(elder=OuterRef("elder"), kind=Kind.DEATH))


def _counted(dues: Names, *keys: str) -> list[dict[str, Any]]:
    """Figures per key. The dead are counted apart: they are few, and a look-up per name would cost the most."""
    figures = {
        "listed": Count("id"),
        "met": Count("certification"),
        "held": Count("id", filter=Q(certification=None, suspended=True)),
    }
    rows = list(dues.order_by().values(*keys).annotate(**figures))
    gone = dues.filter(_dead(), certification=None).order_by().values(*keys).annotate(**figures)
    dead = {tuple(row[key] for key in keys): row for row in gone}
    for row in rows:
        without = dead.get(tuple(row[key] for key in keys), {"listed": 0, "held": 0})
        row["exempt"] = without["listed"]
        row["held"] -= without["held"]
    return rows


def _progress(row: dict[str, Any]) -> Progress:
    return Progress(
        listed=row["listed"],
        met=row["met"],
        open=row["listed"] - row["met"] - row["exempt"],
        suspended=row["held"],
        exempt=row["exempt"],
    )
