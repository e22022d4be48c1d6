"""Reads around batches: what waits to be paid again, what was left out, and what one elder was paid."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from eldercare.models import Elder
from eldercare.services.monthly_facts import partition_name
from subsidies.balance import GIVEN, balances_parameters, balances_select, spans_payable
from subsidies.batch_lines import account_missing, held_back, held_select
from subsidies.choices import LineKind, Outcome, PaymentState
from subsidies.models import Month, Payment


@dataclass(frozen=True)
class LeftOut:
    """Lines that are due but cannot get into a batch; amounts in 元. Who has no account is not counted as held."""

    without_account: int
    without_account_amount: Decimal
    held: int
    held_amount: Decimal

    @property
    def lines(self) -> int:
        """All of them."""
        return self.without_account + self.held

    @property
    def amount(self) -> Decimal:
        """What they come to."""
        return self.without_account_amount + self.held_amount


def failed_open(county_code: str) -> QuerySet[Payment]:
    """Lines that the bank could not pay in and nobody pays again yet (应付未付).

    A line whose reissue failed too and was given up is over as well (`balance.reissued_sql` says the same in SQL).
    """
    again = Payment.objects.filter(~Q(state=PaymentState.VOID) | ~Q(reason=""), reissues=OuterRef("pk"))
    failed = Payment.objects.filter(batch__county_code=county_code, state=PaymentState.FAILED)
    return failed.filter(~Exists(again)).select_related("batch", "elder", "item")


def elder_payments(elder: Elder) -> QuerySet[Payment]:
    """Every line of an elder, newest months first."""
    lines = Payment.objects.filter(elder=elder).select_related("batch", "item", "reissues__batch")
    return lines.order_by("-month", "item__number", "item__code", "sequence")


def left_out(month: Month) -> LeftOut:
    """What a batch of the run would leave out, as of today. 5 queries.

    Looks at the elders of the run's own lines who have no account, and at those whom a clerk holds back.
    """
    spans = spans_payable(month)
    if not spans:
        return LeftOut(0, Decimal("0.00"), 0, Decimal("0.00"))
    today = timezone.localdate()
    with connection.cursor() as cursor:
        # as a list: the few elders are then read by index, month by month
        cursor.execute(_suspects(month), {"today": today})
        suspects = [elder_id for (elder_id,) in cursor.fetchall()]
        cursor.execute(
            f"""
            SELECT count(*) FILTER (WHERE missing), coalesce(sum(line) FILTER (WHERE missing), 0),
                   count(*) FILTER (WHERE NOT missing), coalesce(sum(line) FILTER (WHERE NOT missing), 0)
            FROM (
                SELECT d.line, {account_missing()} AS missing, {held_back(month)} AS held
                FROM ({balances_select(spans, elders=GIVEN)}) d WHERE d.line > 0
            ) lines
            WHERE missing OR held""",
            {**balances_parameters(spans), "today": today, "elders": suspects},
        )
        return LeftOut(*cursor.fetchone())


def _suspects(month: Month) -> str:
    """SELECT of the elders of a run who may be left out."""
    return f"""
        SELECT d.elder_id FROM (
            SELECT elder_id FROM {partition_name("subsidies_entitlement", month.month)}
            WHERE county_code = '{month.county_code}' AND outcome = '{Outcome.DUE}' AND amount > 0
              AND rev_from <= {month.revision} AND (rev_to IS NULL OR rev_to > {month.revision})
            UNION
            SELECT elder_id FROM subsidies_adjustment
            WHERE run_id = {month.pk} AND kind = '{LineKind.BACK_PAY}'
        ) d WHERE {account_missing()}
        UNION
        SELECT elder_id FROM ({held_select(month)}) held"""
