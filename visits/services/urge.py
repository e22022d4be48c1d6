"""催办: a to-do for whoever is to visit, or for the township's lead if the county asks; once a day each."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import transaction
from django.utils import timezone

from operations.commands import Refused
from operations.models import Todo
from operations.services.audit import audit_record
from operations.services.todo import todo_raise
from organization.areas import COUNTY_DIGITS, area_prefix, township_code
from organization.choices import Permission, Role
from organization.models import Area, Assignment, User
from visits.models import Obligation
from visits.people import urge_key
from visits.slots import next_month

#: Whose to-do it is: a role in an area.
Recipient = tuple[Role, str]
#: What a recipient is called behind the name of the area.
POSTS: Final = {Role.TOWNSHIP_LEAD: "负责人", Role.TOWNSHIP_CLERK: "经办人", Role.VILLAGE_WORKER: "协管员"}
MONTH_OVER: Final = "已经结束，不能再催办；请登记补录"


@dataclass(frozen=True)
class Urged:
    """People about whom somebody was urged, and in words who got how many of them, the most first."""

    people: int
    recipients: tuple[str, ...]


def visits_urge(
    *, month: date, due: Sequence[tuple[int, date | None]], actor: User, link: Callable[[Recipient], str]
) -> Urged:
    """Urge the visits of open obligations; again on the same day only refreshes the to-do. Raises Refused.

    due: (obligation id, day due), already within the actor's areas. link: the list of a
    recipient's people. Who was reported dead or moved is left out until that is checked.
    """
    today = timezone.localdate()
    if today >= next_month(month):
        raise Refused(f"{month.year}年{month.month}月{MONTH_OVER}")
    days = {pk: max(day or today, today) for pk, day in due}
    rows = list(
        Obligation.objects.filter(pk__in=days, month=month)
        .to_urge()
        .select_related("assignee")
        .order_by("pk")
    )
    if not rows:
        raise Refused("选中的人都已达标、免访或等待核实去世、迁出，不用催办；请刷新名单")
    groups = _grouped(rows, actor)
    areas = Area.objects.in_bulk({area for _, area in groups})
    groups = {to: people for to, people in groups.items() if to[1] in areas}
    with transaction.atomic():
        for (role, code), people in sorted(groups.items()):
            day = min(days[person.pk] for person in people)
            todo_raise(
                key=f"{urge_key(month)}{role}:{code}",
                role=role,
                area=areas[code],
                title=f"催办：{month.month}月探访还有人未达标，请在{day.month}月{day.day}日前完成",
                link=link((role, code)),
                due=day,
            )
        audit_record(
            action="催办探访",
            subject=f"月份 {month:%Y-%m}",
            actor=actor,
            data={
                "people": sum(map(len, groups.values())),
                "to": [f"{role}:{code}" for role, code in sorted(groups)],
            },
        )
    return Urged(sum(map(len, groups.values())), _told(groups, areas))


def urges_end(*, today: date) -> int:
    """Close the to-dos of months gone by and of areas in which nobody is left to be visited; return how many."""
    month = today.replace(day=1)
    over = [
        todo.pk
        for todo in Todo.objects.filter(key__startswith="visit_urge:", done_at=None)
        if not todo.key.startswith(urge_key(month)) or not _open_in(month, todo.area_id)
    ]
    return Todo.objects.filter(pk__in=over, done_at=None).update(done_at=timezone.now())


def _open_in(month: date, code: str) -> bool:
    """Somebody who lives in the area, or has been given to one who works there, is still to be visited."""
    workers = Assignment.objects.filter(area_id=code).values("user_id")
    rows = Obligation.objects.filter(month=month).to_urge()
    inside = rows.filter(area_code__startswith=area_prefix(code))
    return inside.exists() or rows.filter(assignee__in=workers).exists()


def _told(groups: Mapping[Recipient, Sequence[Obligation]], areas: Mapping[str, Area]) -> tuple[str, ...]:
    """杨小穗 3 人, or for a post that nobody's people go to: 柳溪镇（街）经办人 3 人（未分配）."""
    counts: Counter[tuple[str, str]] = Counter()
    for (role, code), people in groups.items():
        post = f"{areas[code].name}{POSTS[role]}"
        for row in people:
            if role == Role.TOWNSHIP_LEAD:
                counts[post, ""] += 1
            elif row.assignee is not None:
                counts[str(row.assignee), ""] += 1
            else:
                counts[post, "（未分配）"] += 1
    return tuple(f"{name} {n:,} 人{note}" for (name, note), n in counts.most_common())


def _grouped(rows: Sequence[Obligation], actor: User) -> dict[Recipient, list[Obligation]]:
    """People by the one who is to be urged."""
    wide = tuple(
        prefix for prefix in actor.area_prefixes(Permission.VISIT_URGE) if len(prefix) <= COUNTY_DIGITS
    )
    posts = _posts({row.assignee_id for row in rows if row.assignee_id})
    staffed = set(
        Assignment.objects.filter(
            role=Role.VILLAGE_WORKER, user__is_active=True, area_id__in={row.area_code for row in rows}
        ).values_list("area_id", flat=True)
    )
    groups: dict[Recipient, list[Obligation]] = defaultdict(list)
    for row in rows:
        township = township_code(row.area_code)
        if row.area_code.startswith(wide) if wide else False:
            groups[Role.TOWNSHIP_LEAD, township].append(row)
        elif row.assignee_id in posts:
            groups[posts[row.assignee_id]].append(row)
        elif row.area_code in staffed:
            groups[Role.VILLAGE_WORKER, row.area_code].append(row)
        else:  # nobody works in the village: whoever shares it out has to know
            groups[Role.TOWNSHIP_CLERK, township].append(row)
    return groups


def _posts(worker_ids: set[int]) -> dict[int | None, Recipient]:
    """Where each worker's to-dos go: the own village, else the township in which the worker is clerk."""
    held = Assignment.objects.filter(
        user_id__in=worker_ids, role__in=[Role.VILLAGE_WORKER, Role.TOWNSHIP_CLERK], user__is_active=True
    ).order_by("role", "-area_id")
    # villages come last and win, among them the first by code
    return {each.user_id: (Role(each.role), each.area_id) for each in held}
