"""The demonstration's visiting team: one township's village workers, who visits whom, and one who has left."""

from collections.abc import Sequence
from typing import Final

from django.utils import timezone

from organization.choices import Role
from organization.models import Area, Assignment, User
from portal.demo.accounts import person
from visits.models import Caseload, Obligation
from visits.services.caseload import Change, elders_assign, village_assign

#: Sign-in name and the person's name: who does the work, who makes it easy for himself, who has left.
DILIGENT: Final = ("demo-tanfang-1", "周禾生")
HASTY: Final = ("demo-tanfang-2", "钟怀安")
ABSENT: Final = ("demo-tanfang-3", "陶远舟")
GIVEN_BY_HAND: Final = 2


def visitors_create(*, township: Area, village: Area) -> int:
    """Give every other village of the township a worker; nobody can sign in with these accounts."""
    others = list(Area.objects.current().children_of(township.code).exclude(pk=village.pk).order_by("code"))
    for member, villages in zip((DILIGENT, HASTY, ABSENT), _shares(others), strict=True):
        username, full_name = member
        user, created = User.objects.get_or_create(username=username, defaults={"full_name": full_name})
        if created:
            user.set_unusable_password()
            user.save()
        for each in villages:
            Assignment.objects.get_or_create(user=user, role=Role.VILLAGE_WORKER, area=each, bureau=None)
    return len(others)


def visitors(month_runs: bool) -> list[User]:
    """Who records on a phone; in the running month without the one who has left."""
    names = [DILIGENT[0], HASTY[0]] + ([] if month_runs else [ABSENT[0]])
    team = list(User.objects.filter(username__in=names).order_by("username"))
    return [person(Role.VILLAGE_WORKER), *team]


def visitor(member: tuple[str, str]) -> User:
    """One of the team."""
    return User.objects.get(username=member[0])


def visitor_leave() -> int:
    """Let one of the team have left before the running month: whoever he visited is nobody's."""
    return User.objects.filter(username=ABSENT[0], is_active=True).update(is_active=False)


def caseloads_make(township: Area) -> int:
    """Give one more village to the demonstration's worker, and some elders of another one by one."""
    worker, actor, today = person(Role.VILLAGE_WORKER), person(Role.TOWNSHIP_CLERK), timezone.localdate()
    if Caseload.objects.filter(worker=worker).exists():
        return 0
    change = Change(worker=worker, since=today, actor=actor, reason="邻村就近探访")
    own = Obligation.objects.filter(month=today.replace(day=1), area_code__startswith=township.code[:9])
    theirs = own.filter(assignee=visitor(DILIGENT)).order_by("area_code", "elder_id")
    villages = sorted(set(theirs.values_list("area_code", flat=True)))
    moved = village_assign(area_code=villages[0], change=change).people if len(villages) > 1 else 0
    open_ones = theirs.filter(met=False, exempt_from=None).values_list("elder_id", flat=True)
    elders = list(open_ones[:GIVEN_BY_HAND])
    return moved + (elders_assign(elder_ids=elders, change=change).people if elders else 0)


def _shares(villages: Sequence[Area]) -> tuple[Sequence[Area], Sequence[Area], Sequence[Area]]:
    """Two large parts and the last two villages."""
    rest = villages[:-2]
    middle = (len(rest) + 1) // 2
    return rest[:middle], rest[middle:], villages[-2:]
