"""Due lines of a run for earlier months: entitled by the newest facts minus settled (design §2 step 7)."""

from django.db import connection, transaction
from django.db.models import F

from subsidies.balance import balance_select, span_of, terms_of
from subsidies.choices import LineKind
from subsidies.lookback import items_reaching, version_reaches
from subsidies.models import Month


def month_settle(*, month: Month) -> None:
    """Take the month's present revision as settled, once."""
    Month.objects.filter(pk=month.pk, settled_revision=None, revision__gt=0).update(
        settled_revision=F("revision")
    )
    month.refresh_from_db()


def adjustments_store(*, run: Month, earlier: list[Month]) -> int:
    """Bring the run's due lines in line with the newest facts; return how many stand.

    earlier: months that some item looks back to. Always the whole county: who has moved between townships has the two
    sides of the subtraction in both. A run that is settled itself keeps its lines: what has changed since belongs to
    the newest run. What was paid and recovered with the run itself does not count as settled: its lines stay what
    they were when they were paid.
    """
    if run.settled_revision is not None:
        return run.adjustments.count()
    reaches, terms = version_reaches(run.county_code), terms_of(run.county_code)
    with transaction.atomic(), connection.cursor() as cursor:
        run.adjustments.all().delete()
        if terms:  # whole months of lines are compared, not only what has changed
            cursor.execute("SET LOCAL work_mem = '64MB'")
        for past in earlier:
            items = items_reaching(reaches, run.month, past.month)
            if items:
                span = span_of(past, items, terms)
                cursor.execute(
                    f"""
                    INSERT INTO subsidies_adjustment (run_id, elder_id, item_id, month, kind, amount, area_code)
                    SELECT {run.pk}, elder_id, item_id, '{past.month}',
                           CASE WHEN line > 0 THEN '{LineKind.BACK_PAY}' ELSE '{LineKind.RECOVERY}' END,
                           line, area_code
                    FROM ({balance_select(span, run=run)}) balance WHERE line <> 0""",
                    span.parameters,
                )
        return run.adjustments.count()
