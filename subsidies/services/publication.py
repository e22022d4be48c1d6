"""The last step of a run: households, counts, and the switch of readers to the new revision, in one transaction."""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from catalog.policy import Policy
from eldercare.services.monthly_facts import partition_name, revision_store
from subsidies.determination import (
    DECISION_COLUMNS,
    counted_items,
    counts_select,
    enrolled_select,
    household_items,
    household_select,
)
from subsidies.models import Chunk, Month

INDEXES = (
    ("eldercare_monthlyfacts", "elder_id"),
    ("subsidies_entitlement", "elder_id"),
    ("subsidies_entitlement", "item_id, area_code"),
)
OBLIGATIONS = "visits_obligation"


def month_publish(*, month: Month, policy: Policy, revision: int) -> bool:
    """Make the revision the one that readers see; False if nothing differs from the present one."""
    with transaction.atomic(), connection.cursor() as cursor:
        Month.objects.select_for_update().get(pk=month.pk)
        _indexes_ensure(cursor, month)
        changed = _households_store(cursor, month, policy, revision)
        changed += Chunk.objects.filter(month=month, decided_revision=revision).count()
        changed += _counts_store(cursor, month, policy, revision)
        if not changed and month.revision:
            Month.objects.filter(pk=month.pk).update(policy=policy.digest)
            return False
        Month.objects.filter(pk=month.pk).update(
            revision=revision,
            policy=policy.digest,
            persons=_persons(cursor, month),
            published_at=timezone.now(),
        )
    month.refresh_from_db()
    return True


def _indexes_ensure(cursor: CursorWrapper, month: Month) -> None:
    """Index the month's partitions after loading: building them once is cheaper than keeping them while loading.

    Then tell the planner how many rows there are: autovacuum would notice only after the run.
    """
    fresh = set()
    for table, columns in INDEXES:
        partition = partition_name(table, month.month)
        name = f"{partition}_{columns.split(',')[0]}"
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is None:
            cursor.execute(f"CREATE INDEX {name} ON {partition} ({columns})")
            fresh |= {partition, OBLIGATIONS}
    if fresh:
        cursor.execute(f"ANALYZE {', '.join(sorted(fresh))}")


def _households_store(cursor: CursorWrapper, month: Month, policy: Policy, revision: int) -> int:
    items = household_items(policy)
    facts = partition_name("eldercare_monthlyfacts", month.month)
    mine = f"{facts}.county_code = '{month.county_code}' AND {facts}.rev_to IS NULL"
    cursor.execute("DROP TABLE IF EXISTS month_households")
    lines = " UNION ALL ".join(
        household_select(item, facts, mine, enrolled_select(month.month)) for item in items
    )
    nothing = (
        "SELECT NULL::bigint AS elder_id, NULL::bigint AS item_id, NULL::bigint AS item_version_id,"
        " NULL::varchar AS area_code, NULL::numeric AS amount, NULL::varchar AS outcome, NULL::bigint AS winner_id"
        " WHERE false"
    )
    cursor.execute(f"CREATE TEMP TABLE month_households ON COMMIT DROP AS {lines or nothing}")
    return revision_store(
        cursor,
        table=partition_name("subsidies_entitlement", month.month),
        fresh="month_households",
        columns=DECISION_COLUMNS,
        month=month.month,
        county_code=month.county_code,
        revision=revision,
        scope="item_id IN (SELECT id FROM catalog_item WHERE subject = '家庭')",
    )


def _counts_store(cursor: CursorWrapper, month: Month, policy: Policy, revision: int) -> int:
    """Add this revision's differences to the counts: of the elders who changed, or of all if the policy did."""
    items = counted_items(policy)
    facts = partition_name("eldercare_monthlyfacts", month.month)
    rows = f"SELECT * FROM {facts} WHERE county_code = '{month.county_code}'"
    if month.revision and month.policy == policy.digest:
        rows += (
            f" AND elder_id IN (SELECT elder_id FROM {facts} WHERE county_code = '{month.county_code}'"
            f" AND (rev_from = {revision} OR rev_to = {revision}))"
        )
        before = counts_select(
            items, f"{rows} AND rev_from < {revision} AND coalesce(rev_to, {revision}) = {revision}"
        )
    else:
        before = (
            "SELECT item_id, area_code, sum(persons)::int AS persons FROM subsidies_itemcount"
            f" WHERE month_id = {month.pk} GROUP BY item_id, area_code"
        )
    after = counts_select(items, f"{rows} AND rev_to IS NULL")
    cursor.execute(f"""
        INSERT INTO subsidies_itemcount (month_id, item_id, area_code, revision, persons)
        SELECT {month.pk}, item_id, area_code, {revision}, coalesce(a.persons, 0) - coalesce(b.persons, 0)
        FROM ({after}) a FULL JOIN ({before}) b USING (item_id, area_code)
        WHERE coalesce(a.persons, 0) <> coalesce(b.persons, 0)
    """)
    return int(cursor.rowcount)


def _persons(cursor: CursorWrapper, month: Month) -> int:
    """Elders with an opening row, and those who have only a closing one."""
    facts = partition_name("eldercare_monthlyfacts", month.month)
    mine = f"f.county_code = '{month.county_code}' AND f.rev_to IS NULL"
    cursor.execute(
        f"SELECT count(*) FROM {facts} f WHERE {mine} AND (f.opening OR NOT EXISTS"
        f" (SELECT FROM {facts} o WHERE o.elder_id = f.elder_id AND o.opening AND {mine.replace('f.', 'o.')}))"
    )
    return int(cursor.fetchone()[0])
