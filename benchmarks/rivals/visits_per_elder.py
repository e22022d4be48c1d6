"""The rivals of visits as most tutorials put them together: one elder, one area after another with the ORM.

They keep neither the assignment's rules about left workers nor any lock.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q

from benchmarks.county import MONTH
from catalog.choices import Per
from catalog.selectors import policy_get
from eldercare.facts import month_last_day
from eldercare.models import MonthlyFacts
from eldercare.vocabulary import COLUMNS
from organization.choices import Role
from organization.models import Area, Assignment
from portal.demo.areas import COUNTY
from rules import decide
from visits.choices import INSTITUTIONS, ExemptReason
from visits.models import Caseload, Obligation
from visits.slots import slot_count

BATCH = 5_000


def open_month(elders: int) -> list[list[Any]]:
    """Evaluate the tiers elder by elder, look the worker up, save in bulk; rolled back. Returns what was opened."""
    policy = policy_get(county_code=COUNTY, day=month_last_day(MONTH))
    if policy is None:
        raise RuntimeError("no list is in force")
    tiers = sorted(policy.tiers, key=lambda tier: (tier.order, tier.code))
    facts = MonthlyFacts.objects.filter(month=MONTH, opening=True, rev_to=None).order_by("elder_id")
    found = []
    with transaction.atomic():
        for row in facts[:elders]:
            values = {name: getattr(row, column) for name, column in COLUMNS.items()}
            tier = next((tier for tier in tiers if decide(tier.rule, values)), None)
            if tier is None or row.death_date or row.moved_out_date:
                continue
            area = row.residence_code or row.area_code
            found.append(
                Obligation(
                    month=MONTH,
                    county_code=COUNTY,
                    elder_id=row.elder_id,
                    tier_id=tier.tier_id,
                    area_code=area,
                    due=tier.times * slot_count(MONTH, Per(tier.per)),
                    in_institution=row.institution in INSTITUTIONS,
                    assignee_id=_worker(row.elder_id, area),
                )
            )
        Obligation.objects.all().delete()
        Obligation.objects.bulk_create(found, batch_size=BATCH)
        transaction.set_rollback(True)
    codes = {tier.tier_id: tier.code for tier in tiers}
    return [[o.elder_id, codes[o.tier_id], o.due, o.assignee_id] for o in found]


def _worker(elder_id: int, area: str) -> int | None:
    held = Caseload.objects.filter(valid__contains=MONTH)
    own = (
        held.filter(elder_id=elder_id, area_code=area).first()
        or held.filter(elder=None, area_code=area).first()
    )
    if own is not None:
        return own.worker_id
    here = Assignment.objects.filter(role=Role.VILLAGE_WORKER, area_id=area, user__is_active=True)
    workers = list(here.values_list("user_id", flat=True)[:2])
    return workers[0] if len(workers) == 1 else None


def rate_by_township() -> list[list[Any]]:
    """Count township by township, column by column."""
    found = []
    for area in Area.objects.filter(parent_id=COUNTY).order_by("code"):
        rows = Obligation.objects.filter(month=MONTH, county_code=COUNTY, area_code__startswith=area.code[:9])
        counted = rows.filter(exempt_from=None)
        exempt = {reason: rows.filter(exempt_reason=reason).count() for reason in ExemptReason.values}
        found.append(
            [
                area.name,
                counted.count(),
                counted.filter(met=True).count(),
                counted.filter(Q(met=False)).count(),
                {reason: persons for reason, persons in exempt.items() if persons},
                rows.filter(late_met=True).count(),
            ]
        )
    return [row for row in found if row[1] or row[4]]
