"""Anything may happen in any order: after every step all invariants hold, and a repeated command changes nothing.

A hypothesis state machine over the real services. The suite takes some lives of it; with PORTAL_MACHINE_LIVES=100 it
takes 100, which are about 10,000 steps.
"""

import os
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    rule,
    run_state_machine_as_test,
)

from eldercare.choices import YES, Kind
from eldercare.services.circumstance import circumstance_set
from subsidies.balance import balances
from subsidies.choices import (
    AnomalyState,
    BatchKind,
    BatchState,
    LineKind,
    PaymentState,
    RecoveryEntryKind,
    RecoveryState,
    StopReason,
)
from subsidies.invariants import invariants_check
from subsidies.models import (
    Adjustment,
    Anomaly,
    Batch,
    Month,
    Payment,
    Recovery,
    RecoveryEntry,
    RecoveryRequest,
    ReturnRow,
)
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch import batch_build, batch_discard
from subsidies.services.batch_step import (
    batch_reject,
)
from subsidies.services.recovery import recovery_consent, recovery_notify, recovery_open
from subsidies.services.recovery_entry import recovery_repay, recovery_reverse
from subsidies.services.recovery_request import recovery_decide, recovery_request
from subsidies.services.unpaid import unpaid_cancel
from tests.subsidies.county import run
from tests.subsidies.machine_batches import REJECTABLE, BatchMachine
from tests.subsidies.machine_county import AFTER, SPAN, WITH_BANK, seeds

SHORT: Final = 4
LIVES: Final = int(os.environ.get("PORTAL_MACHINE_LIVES", SHORT))
STEPS: Final = 100
SAID: Final = (
    "batch__number",
    "elder",
    "item__code",
    "month",
    "sequence",
    "amount",
    "offset",
    "state",
    "reissues",
)
#: What must have happened somewhere in the suite's lives, and in a long run beside it.
EXPECTED: Final = ("已发", "失败", "成功")
EXPECTED_LONG: Final = ("关闭", "作废", "未知", "重发行", "退回")

pytestmark = pytest.mark.django_db(transaction=True)


class Money(BatchMachine):
    """Recovery cases beside all the rest; in the end everything is put right."""

    @rule(seed=seeds)
    def open_a_case(self, seed: int) -> None:
        line = self.some(seed, Adjustment.objects.filter(run=self.newest(), kind=LineKind.RECOVERY))
        if line is not None:
            self.do(
                recovery_open,
                run=self.newest(),
                elder_id=line.elder_id,
                item_id=line.item_id,
                cause=StopReason.CORRECTED,
                actor=self.who.maker,
            )

    @rule(seed=seeds, luck=st.randoms(use_true_random=False))
    def a_death_is_told_late(self, seed: int, luck: Random) -> None:
        """After the money arrived; the next run finds it, and mostly a case is opened and something comes back."""
        line = self.some(seed, Payment.objects.filter(state=PaymentState.PAID))
        if line is None:
            return
        day = line.month - timedelta(days=luck.randint(1, 40))
        circumstance_set(elder=line.elder, kind=Kind.DEATH, value=YES, starts=day, source="测试")
        self.run_again(self.opened - 1)
        if luck.random() < 0.5 and self.opened < len(SPAN):
            self.run_next()
        self.open_a_case(seed)
        self.notify(seed)
        self.repay(seed, luck.choice([Decimal("0.3"), Decimal(1)]))

    @rule(
        seed=seeds,
        act=st.sampled_from(
            ["notify", "repay", "repay", "consent", "book back", "ask", "ask", "decide", "decide"]
        ),
        share=st.sampled_from([Decimal("0.3"), Decimal(1), Decimal(2)]),
        kind=st.sampled_from([RecoveryEntryKind.WRITE_OFF, RecoveryEntryKind.CANCEL]),
    )
    def go_on_with_a_case(self, seed: int, act: str, share: Decimal, kind: RecoveryEntryKind) -> None:
        match act:
            case "notify":
                self.notify(seed)
            case "repay":
                self.repay(seed, share)
            case "consent":
                self.consent(seed)
            case "book back":
                self.book_back(seed)
            case "ask":
                self.ask_to_let_go(seed, kind)
            case "decide":
                self.decide(seed, approved=bool(seed % 3))

    def notify(self, seed: int) -> None:
        case = self.some(seed, Recovery.objects.filter(state=RecoveryState.PROPOSED))
        if case is not None:
            today = timezone.localdate()
            self.do(recovery_notify, recovery_id=case.pk, on=today, pay_by=None, actor=self.who.maker)

    def repay(self, seed: int, share: Decimal) -> None:
        case = self.some(seed, Recovery.objects.all())
        if case is not None:
            self.do(
                recovery_repay,
                recovery_id=case.pk,
                amount=(case.amount * share).quantize(Decimal("0.01")),
                on=timezone.localdate(),
                key=uuid4(),
                actor=self.who.finance,
            )

    def consent(self, seed: int) -> None:
        case = self.some(seed, Recovery.objects.filter(consent=None))
        if case is not None:
            self.do(
                recovery_consent,
                recovery_id=case.pk,
                name="同意书.pdf",
                content=b"%PDF-1.7 " + str(case.pk).encode(),
                on=timezone.localdate(),
                actor=self.who.maker,
            )

    def book_back(self, seed: int) -> None:
        entry = self.some(seed, RecoveryEntry.objects.filter(kind=RecoveryEntryKind.REPAID))
        if entry is not None:
            self.do(
                recovery_reverse,
                entry_id=entry.pk,
                key=UUID(int=entry.pk),
                actor=self.who.finance,
                note="登记错误",
            )

    def ask_to_let_go(self, seed: int, kind: RecoveryEntryKind) -> None:
        case = self.some(seed, Recovery.objects.all())
        if case is not None:
            self.do(recovery_request, recovery_id=case.pk, kind=kind, reason="家庭困难", actor=self.who.maker)

    def decide(self, seed: int, approved: bool) -> None:
        request = self.some(seed, RecoveryRequest.objects.filter(approved=None))
        if request is not None:
            self.do(
                recovery_decide,
                request_id=request.pk,
                approved=approved,
                opinion="同意" if approved else "理由不足",
                actor=self.who.chief,
            )

    @invariant()
    def every_invariant_holds(self) -> None:
        broken = {finding.name: finding.broken for finding in invariants_check() if finding.broken}
        assert broken == {}
        Money.met["步"] += 1

    def teardown(self) -> None:
        """In the end everything can be put right: once all is paid and recovered, nothing stands open."""
        if not hasattr(self, "opened"):
            return
        for rows in (Batch, Payment, Recovery):
            Money.met.update(rows.objects.values_list("state", flat=True))
        Money.met.update(RecoveryEntry.objects.values_list("kind", flat=True))
        Money.met.update(ReturnRow.objects.values_list("verdict", flat=True))
        Money.met["重发行"] += Payment.objects.exclude(reissues=None).count()
        for month in AFTER:
            run(month)
            self._settle()
        ids = [elder.pk for elder in self.elders]
        held = set(Anomaly.objects.filter(state=AnomalyState.HELD).values_list("elder_id", flat=True))
        left = [one for one in balances(run=self.last(), elder_ids=ids) if one.elder_id not in held]
        assert left == [], (
            left,
            list(Payment.objects.values_list(*SAID)),
            list(Batch.objects.values_list("number", "state")),
        )
        self.every_invariant_holds()

    def last(self) -> Month:
        """The last of the months after all that was run."""
        return Month.objects.filter(month__in=AFTER).latest("month")

    def _settle(self) -> None:
        for batch in Batch.objects.filter(state=BatchState.DRAFT):
            batch_discard(batch_id=batch.pk, actor=self.who.maker)
        for batch in Batch.objects.filter(state__in=[*REJECTABLE]):
            batch_reject(batch_id=batch.pk, actor=self.checker(batch), note="重做")
        for batch in Batch.objects.filter(state__in=[BatchState.CONFIRMED, *WITH_BANK]):
            self.finish(batch)
        run(self.last().month)
        for line in Payment.objects.filter(state=PaymentState.FAILED, reissued_by=None):
            self._take_claims_back(line)
            with suppress(MoneyRefusedError):
                unpaid_cancel(payment_ids=[line.pk], actor=self.who.maker, reason="已不再应发")
        opened = Adjustment.objects.filter(run=self.last(), kind=LineKind.RECOVERY)
        for elder_id, item_id in set(opened.values_list("elder_id", "item_id")):
            with suppress(MoneyRefusedError):
                recovery_open(
                    run=self.last(),
                    elder_id=elder_id,
                    item_id=item_id,
                    cause=StopReason.OTHER,
                    actor=self.who.maker,
                )
        for kind in (BatchKind.REISSUE, BatchKind.REGULAR):
            with suppress(MoneyRefusedError):
                batch = batch_build(month=self.last(), kind=kind, actor=self.who.maker)
                self.clear_anomalies()
                self.finish(batch)

    def _take_claims_back(self, line: Payment) -> None:
        """What the bank gave back cannot be claimed from the elder: the case is cancelled by two persons."""
        cases = Recovery.objects.filter(elder=line.elder, item=line.item, lines__month=line.month)
        for case in cases.distinct():
            for entry in case.entries.filter(kind=RecoveryEntryKind.REPAID, reversed_by=None):
                with suppress(MoneyRefusedError):
                    recovery_reverse(
                        entry_id=entry.pk,
                        key=UUID(int=entry.pk),
                        actor=self.who.finance,
                        note="银行退票",
                    )
            with suppress(MoneyRefusedError):
                request = recovery_request(
                    recovery_id=case.pk,
                    kind=RecoveryEntryKind.CANCEL,
                    reason="银行退票",
                    actor=self.who.maker,
                )
                recovery_decide(request_id=request.pk, approved=True, opinion="同意", actor=self.who.chief)


def test_whatever_happens_to_money_in_whatever_order_keeps_every_invariant() -> None:
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=LIVES == SHORT,  # the suite's own lives are always the same
            phases=[Phase.generate],  # a life takes seconds: shrinking would take hours
            suppress_health_check=list(HealthCheck),
        ),
    )
    expected = EXPECTED if LIVES == SHORT else EXPECTED + EXPECTED_LONG
    assert not [each for each in expected if not Money.met[each]], dict(Money.met)
