"""The subtraction in SQL against the same in plain Python, over random histories of payments and recoveries."""

from datetime import date
from decimal import Decimal
from itertools import count

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalog.models import Item, ItemVersion
from eldercare.models import Elder
from eldercare.services.monthly_facts import partition_ensure
from organization.models import User
from subsidies.balance import Span, balance_select, balances, batch_overpaid, overpaid, owed, span_of
from subsidies.choices import BatchKind, BatchState, LineKind, Outcome, StopReason
from subsidies.models import (
    Adjustment,
    Batch,
    Entitlement,
    Month,
    Payment,
    PaymentTerms,
    Recovery,
    RecoveryLine,
)
from tests.registry import make_elder
from tests.subsidies.county import LULIANG, VILLAGE, item, publish_list
from tests.subsidies.plain_balance import Decided, History, Line, Listed, Setting, plain_balance

JANUARY, FEBRUARY, MARCH, APRIL = (date(2025, month, 1) for month in range(1, 5))
REVISIONS = 3
SUMS = st.sampled_from([Decimal(value) for value in ("10.00", "30.00", "50.00", "50.01")])
RUNS = st.sampled_from([FEBRUARY, MARCH, APRIL])
#: When the portal began to pay the item: never, before the month, with it, between it and the run.
FIRST = st.sampled_from([JANUARY, MARCH, date(2024, 6, 1), None])
#: Failures often: most of what can go wrong comes after one.
STATES = st.sampled_from(["失败", "失败", "作废", "作废", "待发", "暂缓", "处理中", "已发"])
_serial = count(1)


def decided() -> st.SearchStrategy[Decided]:
    return st.one_of(
        st.just(Decided()),
        st.just(Decided("暂停")),
        st.just(Decided("应发", None)),
        SUMS.map(lambda amount: Decided("应发", amount)),
    )


@st.composite
def lines(draw: st.DrawFn) -> tuple[Line, ...]:
    """Payments in the order of their sequence; a failed one may be paid again, once at a time."""
    made: list[Line] = []
    for _ in range(draw(st.integers(0, 4))):
        open_places = [
            place
            for place, line in enumerate(made)
            if line.state == "失败" and not any(o.reissues == place and o.state != "作废" for o in made)
        ]
        state = draw(STATES)
        amount = draw(SUMS)
        made.append(
            Line(
                run=draw(RUNS),
                amount=amount,
                offset=draw(st.sampled_from([Decimal(0), Decimal("10.00"), amount])),
                state=state,
                reason="已销户" if state == "失败" or (state == "作废" and draw(st.booleans())) else "",
                reissues=draw(st.sampled_from([*open_places, *open_places, None])),
            )
        )
    return tuple(made)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Anything that may have happened to one elder's January, and some things that should not."""
    signed = st.sampled_from([Decimal("-50.00"), Decimal("-10.00"), Decimal("20.00"), Decimal("50.00")])
    listed = st.dictionaries(RUNS, signed, max_size=3)
    recovered = st.dictionaries(RUNS, signed, max_size=2)
    return History(
        decided=tuple(draw(decided()) for _ in range(REVISIONS)),
        listed=tuple(Listed(run, amount) for run, amount in draw(listed).items()),
        lines=draw(lines()),
        recovered=tuple(Listed(run, amount) for run, amount in draw(recovered).items()),
    )


@pytest.fixture
def poor(db: None) -> Item:
    """The item, and the partition that January's rows go to."""
    publish_list(item("POOR", "低保"))
    with connection.cursor() as cursor:
        partition_ensure(cursor, "subsidies_entitlement", JANUARY)
    return Item.objects.get()


#: What failed was paid again, failed again and was given up: nothing of it waits.
GIVEN_UP = History(
    decided=(Decided("应发", Decimal(80)),) * REVISIONS,
    lines=(
        Line(FEBRUARY, Decimal(50), Decimal(0), "失败", "已销户", None),
        Line(MARCH, Decimal(50), Decimal(0), "作废", "已销户", 0),
    ),
)


@example(everyone=[GIVEN_UP], published=1, settled=None, first=JANUARY)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    everyone=st.lists(histories(), min_size=1, max_size=3),
    published=st.integers(1, REVISIONS),
    settled=st.one_of(st.none(), st.integers(1, REVISIONS)),
    first=FIRST,
)
def test_sql_and_plain_python_agree_on_every_history(
    poor: Item, everyone: list[History], published: int, settled: int | None, first: date | None
) -> None:
    setting = Setting(JANUARY, published, None if settled is None else min(settled, published), first)
    with transaction.atomic():
        county = _County(poor, setting)
        elders = [county.store(history) for history in everyone]
        for run in (None, APRIL):
            found = county.read(run)
            for elder, history in zip(elders, everyone, strict=True):
                plain = plain_balance(history, setting, run)
                zero = (Decimal(0), Decimal(0), Decimal(0))
                assert found.get(elder.pk, None if plain is None else zero) == plain
        transaction.set_rollback(True)


class _County:
    """January and the runs after it, into which histories are written."""

    def __init__(self, item: Item, setting: Setting) -> None:
        self.item = item
        self.version = ItemVersion.objects.get(item=item)
        self.user = User.objects.create(username=f"user{next(_serial)}")
        months = [
            Month.objects.create(
                county_code=LULIANG,
                month=month,
                revision=setting.published,
                settled_revision=setting.settled if month == JANUARY else None,
            )
            for month in (JANUARY, FEBRUARY, MARCH, APRIL)
        ]
        self.months = {month.month: month for month in months}
        if setting.first:
            PaymentTerms.objects.create(item=item, first_month=setting.first)
        self.batches = {
            month: Batch.objects.create(
                county_code=LULIANG,
                number=f"530322-{month:%Y%m}-{next(_serial)}",
                month=self.months[month],
                kind=BatchKind.REGULAR,
                state=BatchState.RETURNED,
                revision=1,
                made_by=self.user,
            )
            for month in (FEBRUARY, MARCH, APRIL)
        }
        self.span: Span = span_of(
            self.months[JANUARY], [item.pk], {item.pk: setting.first} if setting.first else {}
        )

    def read(self, run: date | None) -> dict[int, tuple[Decimal, Decimal, Decimal]]:
        """Elder → what the SQL says."""
        with connection.cursor() as cursor:
            sql = balance_select(self.span, run=self.months[run] if run else None)
            cursor.execute(f"SELECT elder_id, due, unpaid, line FROM ({sql}) b", self.span.parameters)
            return {row[0]: row[1:] for row in cursor.fetchall()}

    def store(self, history: History) -> Elder:
        """Write a history down as services would have."""
        elder = make_elder(date(1940, 1, 1))
        self._entitlements(elder, history)
        for one in history.listed:
            Adjustment.objects.create(
                run=self.months[one.run],
                elder=elder,
                item=self.item,
                month=JANUARY,
                kind=LineKind.BACK_PAY if one.amount > 0 else LineKind.RECOVERY,
                amount=one.amount,
                area_code=VILLAGE,
            )
        self._payments(elder, history)
        for number, one in enumerate(history.recovered, 1):
            RecoveryLine.objects.create(
                recovery=self._recovery(elder, one),
                elder=elder,
                item=self.item,
                month=JANUARY,
                sequence=number,
                amount=one.amount,
            )
        return elder

    def _entitlements(self, elder: Elder, history: History) -> None:
        """Rows valid from where a decision begins to where it changes, as a run stores them."""
        begins = 1
        for revision in range(2, REVISIONS + 2):
            last = revision > REVISIONS
            now = history.decided[begins - 1]
            if not last and history.decided[revision - 1] == now:
                continue
            if now.outcome:
                Entitlement.objects.create(
                    month=JANUARY,
                    county_code=LULIANG,
                    elder=elder,
                    item=self.item,
                    item_version=self.version,
                    area_code=VILLAGE,
                    amount=now.amount,
                    outcome=Outcome(now.outcome),
                    rev_from=begins,
                    rev_to=None if last else revision,
                )
            begins = revision

    def _payments(self, elder: Elder, history: History) -> None:
        made: list[Payment] = []
        for number, line in enumerate(history.lines, 1):
            made.append(
                Payment.objects.create(
                    batch=self.batches[line.run],
                    number=next(_serial),
                    elder=elder,
                    item=self.item,
                    month=JANUARY,
                    kind=LineKind.BACK_PAY,
                    sequence=number,
                    amount=line.amount,
                    offset=line.offset,
                    area_code=VILLAGE,
                    holder="测",
                    account_cipher=b"",
                    account_index=b"",
                    state=line.state,
                    reason=line.reason,
                    reissues=None if line.reissues is None else made[line.reissues],
                )
            )

    def _recovery(self, elder: Elder, one: Listed) -> Recovery:
        return Recovery.objects.create(
            county_code=LULIANG,
            elder=elder,
            item=self.item,
            run=self.months[one.run],
            cause=StopReason.OTHER,
            area_code=VILLAGE,
            due_stop=JANUARY,
            actual_stop=JANUARY,
            amount=abs(one.amount),
            made_by=self.user,
        )


def test_reads_name_what_is_owed_and_what_was_overpaid(poor: Item) -> None:
    county = _County(poor, Setting(JANUARY, 1, None, JANUARY))
    fifty = Decided("应发", Decimal(50))
    unpaid = county.store(History((fifty,) * 3))
    paid_twice = county.store(History((fifty,) * 3, lines=(_paid(FEBRUARY), _paid(MARCH))))
    even = county.store(History((fifty,) * 3, lines=(_paid(FEBRUARY),)))
    run, elders = county.months[APRIL], [unpaid.pk, paid_twice.pk, even.pk]
    with connection.cursor() as cursor:
        for month in (FEBRUARY, MARCH, APRIL):
            partition_ensure(cursor, "subsidies_entitlement", month)
    assert [(b.elder_id, b.line) for b in owed(run=run, elder_ids=elders)] == [(unpaid.pk, Decimal(50))]
    assert [(b.elder_id, b.line) for b in overpaid(run=run, elder_ids=elders)] == [
        (paid_twice.pk, Decimal(-50))
    ]
    assert {b.elder_id for b in balances(run=run, elder_ids=elders)} == {unpaid.pk, paid_twice.pk}
    assert batch_overpaid(county.batches[MARCH]) == (1, Decimal(50))
    assert batch_overpaid(county.batches[APRIL]) == (0, Decimal(0))


def _paid(run: date) -> Line:
    return Line(run, Decimal(50), Decimal(0), "已发", "", None)
