"""Due lines for earlier months: entitled by the newest facts minus settled (design §2 step 7).

Until payments are recorded, a month counts as settled with what its determination said when a later month was first
run, plus the due lines of runs in between.
"""

from datetime import date

from django.db import connection, transaction
from django.db.models import F

from catalog.policy import Policy
from organization.areas import area_prefix
from subsidies.choices import LineKind, Outcome
from subsidies.models import Adjustment, Month


def month_settle(*, month: Month) -> None:
    """Take the month's present revision as settled, once."""
    Month.objects.filter(pk=month.pk, settled_revision=None, revision__gt=0).update(
        settled_revision=F("revision")
    )
    month.refresh_from_db()


def adjustments_store(*, run: Month, policy: Policy, earlier: list[Month], area_code: str | None) -> int:
    """Bring the run's due lines in line with the newest facts; return how many stand.

    A run that is settled itself keeps its lines: what has changed since belongs to the newest run.
    """
    if run.settled_revision is not None:
        return run.adjustments.count()
    prefix = area_prefix(area_code) if area_code else ""
    with transaction.atomic(), connection.cursor() as cursor:
        Adjustment.objects.filter(run=run, area_code__startswith=prefix).delete()
        for past in earlier:
            items = [i.item_id for i in policy.items if i.lookback >= _distance(past.month, run.month)]
            if items:
                cursor.execute(_due_insert(run, past, prefix), [items, items])
        return run.adjustments.count()


def _distance(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def _due_insert(run: Month, past: Month, prefix: str) -> str:
    """INSERT of entitled − settled for one earlier month; two parameters: the items whose look-back reaches it."""
    entitlement = f"subsidies_entitlement_{past.month:%Y%m}"
    paying = f"county_code = '{past.county_code}' AND outcome = '{Outcome.DUE}' AND amount IS NOT NULL"
    return f"""
        INSERT INTO subsidies_adjustment (run_id, elder_id, item_id, month, kind, amount, area_code)
        SELECT {run.pk}, elder_id, item_id, '{past.month}',
               CASE WHEN sum(amount) > 0 THEN '{LineKind.BACK_PAY}' ELSE '{LineKind.RECOVERY}' END,
               sum(amount), max(area_code)
        FROM (
            SELECT elder_id, item_id, amount, area_code FROM {entitlement}
            WHERE {paying} AND rev_to IS NULL AND item_id = ANY(%s)
            UNION ALL
            SELECT elder_id, item_id, -amount, area_code FROM {entitlement}
            WHERE {paying} AND rev_from <= {past.settled_revision or 0}
              AND (rev_to IS NULL OR rev_to > {past.settled_revision or 0}) AND item_id = ANY(%s)
            UNION ALL
            SELECT a.elder_id, a.item_id, -a.amount, a.area_code
            FROM subsidies_adjustment a JOIN subsidies_month r ON r.id = a.run_id
            WHERE r.county_code = '{run.county_code}' AND r.month < '{run.month}' AND a.month = '{past.month}'
        ) lines
        WHERE starts_with(area_code, '{prefix}')
        GROUP BY elder_id, item_id
        HAVING sum(amount) <> 0"""
