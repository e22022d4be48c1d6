"""Reads of recovery cases: what is open, the lists and their figures, and who has no case yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, DecimalField, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from operations.crypto import decrypt
from operations.masking import mask_id_number
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from subsidies.change_history import DueLine, change_reasons
from subsidies.change_reason import Reason
from subsidies.choices import BatchState, LineKind, PaymentState, RecoveryEntryKind, RecoveryState, StopReason
from subsidies.models import Adjustment, Month, Payment, Recovery, RecoveryEntry
from subsidies.overpayment import overpaid_months
from subsidies.recovery_state import NOTHING, RETURNED, Booked, booked_sum

OPEN: Final = (RecoveryState.PROPOSED, RecoveryState.NOTIFIED, RecoveryState.PARTLY)
#: Batches whose offsets are planned but not booked yet.
UNSENT: Final = (
    BatchState.DRAFT,
    BatchState.TOWNSHIP,
    BatchState.APPROVAL,
    BatchState.NOTICE,
    BatchState.FINANCE,
    BatchState.CONFIRMED,
)
NAMED: Final = ("elder__name", "elder__id_number_cipher", "item__code", "item__name")
MONEY: Final = DecimalField(max_digits=14, decimal_places=2)


@dataclass(frozen=True)
class RecoveryFigures:
    """Cases of a list: how many, how many open, how many past their date; 元 claimed, returned and open."""

    cases: int
    open_cases: int
    overdue: int
    claimed: Decimal
    returned: Decimal
    open: Decimal


@dataclass(frozen=True)
class Candidate:
    """An elder and item with 追缴 lines of a run and no case yet; cause: what the facts propose."""

    elder_id: int
    name: str
    id_number: str
    item_id: int
    item: str
    area_code: str
    months: int
    first: date
    amount: Decimal
    reason: Reason | None

    @property
    def cause(self) -> str:
        """The proposed cause."""
        return self.reason.cause if self.reason else StopReason.CORRECTED


def booked_of(recovery_ids: Iterable[int]) -> dict[int, list[Booked]]:
    """Case → its entries; a counter-entry under the kind of what it takes back."""
    ids = list(recovery_ids)
    found: dict[int, list[Booked]] = {pk: [] for pk in ids}
    rows = RecoveryEntry.objects.filter(recovery__in=ids).values_list(
        "recovery_id", "kind", "amount", "reverses__kind"
    )
    for recovery_id, kind, amount, reversed_kind in rows:
        found[recovery_id].append(Booked(reversed_kind or kind, amount))
    return found


def open_sums(recovery_ids: Iterable[int]) -> dict[int, Decimal]:
    """Case → 元 still to be recovered."""
    ids = list(recovery_ids)
    booked = booked_of(ids)
    amounts = Recovery.objects.filter(pk__in=ids).values_list("pk", "amount")
    return {pk: amount - booked_sum(booked[pk]) for pk, amount in amounts}


def planned_offsets(*, elder_id: int, county_code: str) -> Decimal:
    """元 that lines of the county's batches not yet sent keep back from an elder."""
    lines = Payment.objects.filter(
        elder=elder_id,
        offset__gt=0,
        batch__county_code=county_code,
        batch__state__in=UNSENT,
        state__in=(PaymentState.PENDING, PaymentState.HELD),
    )
    return lines.aggregate(sum=Sum("offset"))["sum"] or NOTHING


def newest_month(county_code: str) -> Month | None:
    """The county's newest published month: cases are opened from it."""
    return Month.objects.filter(county_code=county_code, revision__gt=0).order_by("-month").first()


def recovery_list(user: User, permission: Permission = Permission.PAYMENT_VIEW) -> QuerySet[Recovery]:
    """Cases within the user's areas, each with what was `returned` and what is `left`, newest first."""
    entries = RecoveryEntry.objects.filter(recovery=OuterRef("pk")).order_by().values("recovery")
    back = Q(kind__in=RETURNED) | Q(kind=RecoveryEntryKind.REVERSAL, reverses__kind__in=RETURNED)
    found = in_areas(Recovery.objects.all(), user.area_prefixes(permission), "area_code")
    return found.annotate(returned=_sum(entries.filter(back)), left=F("amount") - _sum(entries)).order_by(
        "-made_at", "-pk"
    )


def recovery_figures(cases: QuerySet[Recovery], today: date) -> RecoveryFigures:
    """Figures of a `recovery_list`, cut down or whole. One query."""
    found = cases.order_by().aggregate(
        cases=Count("pk"),
        open_cases=Count("pk", filter=Q(state__in=OPEN)),
        overdue=Count("pk", filter=overdue_on(today)),
        claimed=Sum("amount"),
        back=Sum("returned"),
        open=Sum("left"),
    )
    money = {name: found[name] or NOTHING for name in ("claimed", "back", "open")}
    return RecoveryFigures(
        found["cases"],
        found["open_cases"],
        found["overdue"],
        money["claimed"],
        money["back"],
        money["open"],
    )


def overdue_on(day: date) -> Q:
    """Open cases whose date for returning has passed."""
    return Q(state__in=OPEN, pay_by__lt=day)


def candidate_rows(
    run: Month, user: User, permission: Permission = Permission.PAYMENT_VIEW
) -> QuerySet[Adjustment, Any]:
    """追缴 lines of a run without a case of that run, one row per elder and item, within the user's areas."""
    cases = Recovery.objects.filter(run=run, elder=OuterRef("elder"), item=OuterRef("item"))
    lines = in_areas(run.adjustments.all(), user.area_prefixes(permission), "area_code")
    found: QuerySet[Adjustment, Any] = (
        lines.filter(kind=LineKind.RECOVERY)
        .exclude(Exists(cases))
        .order_by("area_code", "elder_id", "item_id")
        .values("elder_id", "item_id", "area_code", *NAMED)
        .annotate(
            months=Count("pk"),
            first=Min("month"),
            total=Sum("amount"),
            amounts=ArrayAgg("amount", order_by="month"),
        )
    )
    return found


def candidates_of(run: Month, rows: Sequence[dict[str, Any]]) -> list[Candidate]:
    """A page of `candidate_rows`, numbers masked, with the reason of each one's first month. 6 queries."""
    due = [DueLine(row["elder_id"], row["item_id"], row["first"], row["amounts"][0]) for row in rows]
    reasons = change_reasons(county_code=run.county_code, lines=due)
    return [
        Candidate(
            elder_id=row["elder_id"],
            name=row["elder__name"],
            id_number=mask_id_number(decrypt(row["elder__id_number_cipher"])),
            item_id=row["item_id"],
            item=f"{row['item__code']} {row['item__name']}",
            area_code=row["area_code"],
            months=row["months"],
            first=row["first"],
            amount=-row["total"],
            reason=reasons.get(line.key),
        )
        for row, line in zip(rows, due, strict=True)
    ]


def causes_proposed(*, run: Month, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Elder and item → the cause that the facts of the first overpaid month propose."""
    due = []
    for elder_id, item_id in pairs:
        months = overpaid_months(run=run, elder_id=elder_id, item_id=item_id)
        due += [DueLine(elder_id, item_id, month.month, -month.amount) for month in months[:1]]
    reasons = change_reasons(county_code=run.county_code, lines=due)
    return {(elder, item): reason.cause for (elder, item, _), reason in reasons.items()}


def _sum(entries: QuerySet[RecoveryEntry, Any]) -> Coalesce:
    total = entries.annotate(sum=Sum("amount")).values("sum")
    return Coalesce(Subquery(total, output_field=MONEY), NOTHING, output_field=MONEY)
