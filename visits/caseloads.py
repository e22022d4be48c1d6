"""Who is to visit whom: the one rule, as SQL, and the workers among whom one may choose.

An elder's own caseload row wins as long as the elder lives where it was made; then the village's row; then the only
active worker of exactly that village. A caseload of a switched-off account counts as if it were not there.
"""

from datetime import date, timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from organization.areas import CODE_LENGTH, LEVEL_DIGITS, TOWNSHIP_DIGITS, area_prefix
from organization.choices import Permission, Role
from organization.grants import GRANTS
from organization.models import User
from visits.slots import next_month

#: Roles that may record a visit: only they can be given people.
VISITORS: Final = tuple(role for role, granted in GRANTS.items() if Permission.VISIT_RECORD in granted)

#: Who is to visit, given the joins below.
ASSIGNEE: Final = "coalesce(own.worker_id, village.worker_id, sole.worker_id)"

_HELD: Final = """SELECT c.elder_id, c.area_code, c.worker_id FROM visits_caseload c
            JOIN organization_user u ON u.id = c.worker_id AND u.is_active
            WHERE c.valid @> %(day)s::date AND c.elder_id IS"""

#: (area_code, worker_id) of the villages that have exactly one active worker of their own.
SOLE_WORKERS: Final = f"""SELECT a.area_id AS area_code, min(a.user_id) AS worker_id
            FROM organization_assignment a JOIN organization_user u ON u.id = a.user_id AND u.is_active
            WHERE a.role = '{Role.VILLAGE_WORKER}' GROUP BY a.area_id HAVING count(DISTINCT a.user_id) = 1"""


def assignee_joins(elder: str, area: str) -> str:
    """SQL joins that `ASSIGNEE` needs, for expressions of the elder's id and area code; parameter: %(day)s."""
    return f"""
        LEFT JOIN ({_HELD} NOT NULL) own ON own.elder_id = {elder} AND own.area_code = {area}
        LEFT JOIN ({_HELD} NULL) village ON village.area_code = {area}
        LEFT JOIN ({SOLE_WORKERS}) sole ON sole.area_code = {area}"""


def caseload_day(month: date) -> date:
    """Return the day whose caseloads count for a month: today, or the month's day next to it."""
    return min(max(timezone.localdate(), month), next_month(month) - timedelta(days=1))


def workers_of(area_code: str) -> QuerySet[User]:
    """Active users who may record visits somewhere in the area's township, or anywhere in the area if it is wider."""
    prefix = area_prefix(area_code)[:TOWNSHIP_DIGITS]
    above = [prefix[:digits] for digits in LEVEL_DIGITS[:-1] if digits <= len(prefix)]
    covers = Q(assignments__area__code__startswith=prefix)
    covers |= Q(assignments__area_id__in=[code.ljust(CODE_LENGTH, "0") for code in above])
    found = User.objects.filter(covers, assignments__role__in=VISITORS, is_active=True)
    return found.order_by("full_name", "pk").distinct()


def may_visit(worker: User, area_code: str) -> bool:
    """Tell whether the worker may record visits in the area's township or a part of it."""
    township = area_code[:TOWNSHIP_DIGITS]
    prefixes = worker.area_prefixes(Permission.VISIT_RECORD)
    return any(prefix.startswith(township) or township.startswith(prefix) for prefix in prefixes)
