"""Due lines for earlier months: entitled by the newest facts minus settled (design §2 step 7).

Until payments are recorded, a month counts as settled with what its determination said when a later month was first
run, plus the due lines of runs in between.
"""

from datetime import date

from django.db import connection, transaction
from django.db.models import F

from catalog.models import ItemVersion
from catalog.policy import Policy
from eldercare.services.monthly_facts import partition_name
from subsidies.choices import LineKind, Outcome
from subsidies.models import Month


def month_settle(*, month: Month) -> None:
    """Take the month's present revision as settled, once."""
    Month.objects.filter(pk=month.pk, settled_revision=None, revision__gt=0).update(
        settled_revision=F("revision")
    )
    month.refresh_from_db()


def months_between(first: date, last: date) -> int:
    """Number of months from one month to a later one."""
    return (last.year - first.year) * 12 + last.month - first.month


def adjustments_store(*, run: Month, policy: Policy, earlier: list[tuple[Month, Policy]]) -> int:
    """Bring the run's due lines in line with the newest facts; return how many stand.

    earlier: months that some item looks back to, each with its own policy. Always the whole county: who has moved
    between townships has the two sides of the subtraction in both. A run that is settled itself keeps its lines: what
    has changed since belongs to the newest run.
    """
    if run.settled_revision is not None:
        return run.adjustments.count()
    published = _published_lookbacks(run.county_code)
    with transaction.atomic(), connection.cursor() as cursor:
        run.adjustments.all().delete()
        for past, then in earlier:
            items = _items_reaching(published, policy, then, months_between(past.month, run.month))
            if items:
                cursor.execute(_due_insert(run, past), [items, items, items])
        return run.adjustments.count()


def _published_lookbacks(county_code: str) -> dict[int, int]:
    """Item → look-back of its latest version, in force or not."""
    versions = ItemVersion.objects.filter(item__document__area=county_code).order_by("valid")
    return dict(versions.values_list("item_id", "lookback"))


def _items_reaching(published: dict[int, int], now: Policy, then: Policy, distance: int) -> list[int]:
    """Items that look back so many months; one that has ended keeps its look-back, even if ended back-dated."""
    lookbacks = (
        published | {i.item_id: i.lookback for i in then.items} | {i.item_id: i.lookback for i in now.items}
    )
    return [item_id for item_id, lookback in lookbacks.items() if lookback >= distance]


def _due_insert(run: Month, past: Month) -> str:
    """INSERT of entitled − settled for one earlier month; three parameters: the items whose look-back reaches it.

    Rows that were settled and still hold stand on both sides: only what began or ended since settling is read. A month
    suspended by now is left as it was settled: to suspend is not to take back (domain §2.6); once certified, what was
    held back is entitled again and paid.
    """
    entitlement = partition_name("subsidies_entitlement", past.month)
    settled = past.settled_revision or 0
    paying = (
        f"county_code = '{past.county_code}' AND outcome = '{Outcome.DUE}' AND amount IS NOT NULL"
        " AND item_id = ANY(%s)"
    )
    return f"""
        INSERT INTO subsidies_adjustment (run_id, elder_id, item_id, month, kind, amount, area_code)
        SELECT {run.pk}, elder_id, item_id, '{past.month}',
               CASE WHEN sum(amount) > 0 THEN '{LineKind.BACK_PAY}' ELSE '{LineKind.RECOVERY}' END,
               sum(amount), max(area_code)
        FROM (
            SELECT elder_id, item_id, amount, area_code FROM {entitlement}
            WHERE {paying} AND rev_to IS NULL AND rev_from > {settled}
            UNION ALL
            SELECT elder_id, item_id, -amount, area_code FROM {entitlement}
            WHERE {paying} AND rev_from <= {settled} AND rev_to > {settled}
            UNION ALL
            SELECT a.elder_id, a.item_id, -a.amount, a.area_code
            FROM subsidies_adjustment a JOIN subsidies_month r ON r.id = a.run_id
            WHERE r.county_code = '{run.county_code}' AND r.id <> {run.pk} AND a.month = '{past.month}'
              AND a.item_id = ANY(%s)
        ) lines
        WHERE NOT EXISTS (
            SELECT FROM {entitlement} held
            WHERE held.county_code = '{past.county_code}' AND held.rev_to IS NULL
              AND held.outcome = '{Outcome.SUSPENDED}'
              AND held.elder_id = lines.elder_id AND held.item_id = lines.item_id)
        GROUP BY elder_id, item_id
        HAVING sum(amount) <> 0"""
