"""Deciding a few townships' share of a month in one transaction (design §2 steps 1–6)."""

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from catalog.policy import Policy
from eldercare.facts import FactsPolicy, Persons
from eldercare.services.monthly_facts import (
    FRESH,
    PERSONS,
    facts_freeze,
    facts_store,
    partition_name,
    persons_take,
    persons_unaccounted,
    revision_store,
)
from organization.areas import area_prefix
from subsidies.determination import (
    DECISION_COLUMNS,
    decided_items,
    decisions_select,
    enrolled_select,
    exclusion_update,
    winners_update,
)
from subsidies.models import Chunk
from visits.services.obligation import obligations_open

DECISIONS = "month_decisions"
ENROLLED = "month_enrolled"


class UnaccountedError(Exception):
    """Persons in and persons decided differ: the chunk writes nothing (design §2 step 6)."""


@dataclass(frozen=True)
class ChunkTask:
    """What the deciding of one chunk, or of several in one transaction, needs to know.

    townships: 9-digit prefixes, '' for elders registered outside the county, None for all.
    since: decide only elders changed after this registry version; None: everyone. first: the month holds no rows yet.
    version: registry version that the run reads. snapshot: exported snapshot that all chunks of a run read, so that
    an elder who moves meanwhile is met once. opens_visits: only the month that is run opens visit obligations; news
    for an earlier month does not add to what had to be visited then.
    """

    chunk_ids: tuple[int, ...]
    month: date
    townships: tuple[str, ...] | None
    revision: int
    since: int | None
    first: bool
    version: int
    snapshot: str
    opens_visits: bool


def facts_policy(policy: Policy) -> FactsPolicy:
    """The part of a policy that says how facts are read."""
    return FactsPolicy(
        county_code=policy.county_code,
        valid_months=policy.valid_months,
        age_from_next_day=policy.age_from_next_day,
    )


def chunk_decide(*, task: ChunkTask, policy: Policy) -> int:
    """Freeze, decide, store and open visits for the task's townships; return how many rows changed.

    Raises UnaccountedError if a person would be lost or doubled.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(f"SET TRANSACTION SNAPSHOT '{task.snapshot}'")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        persons = persons_take(
            cursor, townships=task.townships, county_prefix=area_prefix(policy.county_code), since=task.since
        )
        changed = _decide(cursor, task, policy, persons) if persons else 0
        Chunk.objects.filter(id__in=task.chunk_ids).update(
            facts_version=task.version,
            policy=policy.digest,
            **({"decided_revision": task.revision} if changed else {}),
        )
    return changed


def _decide(cursor: CursorWrapper, task: ChunkTask, policy: Policy, persons: Persons) -> int:
    reading = facts_policy(policy)
    facts_freeze(cursor, month=task.month, policy=reading, persons=persons)
    lost = persons_unaccounted(cursor)
    if lost:
        places = "、".join(task.townships or ("全县",))
        raise UnaccountedError(f"{places}：应核定人数与已核定人数相差 {lost}，本片未写入")
    changed = facts_store(
        cursor, month=task.month, county_code=policy.county_code, revision=task.revision, first=task.first
    )
    decisions_make(cursor, month=task.month, policy=policy)
    changed += decisions_store(cursor, task=task, county_code=policy.county_code)
    if task.opens_visits:
        obligations_open(cursor, month=task.month, policy=policy, facts=FRESH)
    return changed


def decisions_make(cursor: CursorWrapper, *, month: date, policy: Policy) -> None:
    """Fill month_decisions from month_fresh: rules, amounts, gate, exclusions."""
    cursor.execute(f"DROP TABLE IF EXISTS {DECISIONS}, {ENROLLED}")
    cursor.execute(f"CREATE TEMP TABLE {ENROLLED} ON COMMIT DROP AS {enrolled_select(month)}")
    cursor.execute(f"ANALYZE {ENROLLED}")
    cursor.execute(
        f"CREATE TEMP TABLE {DECISIONS} (elder_id bigint, item_id bigint, item_version_id bigint,"
        " area_code varchar(12), amount numeric(12, 2), outcome varchar(4), winner_id bigint) ON COMMIT DROP"
    )
    items = decided_items(policy)
    if items:
        cursor.execute(f"INSERT INTO {DECISIONS} {decisions_select(items, FRESH, ENROLLED)}")
    codes = {item.code: item.item_id for item in items}
    for group in policy.exclusions:
        update = exclusion_update(group, codes, DECISIONS)
        if update:
            cursor.execute(update)
    for _ in policy.exclusions[1:]:
        cursor.execute(winners_update(DECISIONS))


def decisions_store(cursor: CursorWrapper, *, task: ChunkTask, county_code: str) -> int:
    """Write month_decisions as this revision's entitlements; return how many rows changed."""
    table = partition_name("subsidies_entitlement", task.month)
    if task.first:
        cursor.execute(
            f"INSERT INTO {table} (month, county_code, rev_from, {DECISION_COLUMNS})"
            f" SELECT '{task.month}', '{county_code}', {task.revision}, {DECISION_COLUMNS} FROM {DECISIONS}"
        )
        return int(cursor.rowcount)
    return revision_store(
        cursor,
        table=table,
        fresh=DECISIONS,
        columns=DECISION_COLUMNS,
        month=task.month,
        county_code=county_code,
        revision=task.revision,
        scope=f"elder_id IN (SELECT id FROM {PERSONS}) AND t.item_id NOT IN"
        " (SELECT id FROM catalog_item WHERE subject = '家庭')",
    )
