"""Batches of the money machine: built, stepped, sent back, answered by a bank that fails a lot."""

from contextlib import suppress
from random import Random
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import (
    rule,
)

from subsidies.choices import (
    AnomalyState,
    BatchKind,
    BatchState,
    PaymentState,
)
from subsidies.models import (
    Anomaly,
    Batch,
    Payment,
)
from subsidies.refusals import MoneyRefusedError
from subsidies.services.anomaly import anomaly_decide
from subsidies.services.bank import bank_file_download, bank_file_make
from subsidies.services.bank_return import return_import
from subsidies.services.batch import batch_build, batch_discard
from subsidies.services.batch_step import (
    batch_approve,
    batch_close,
    batch_confirm,
    batch_reject,
    batch_send,
    batch_submit,
    township_check,
)
from subsidies.services.unpaid import unpaid_cancel
from tests.subsidies.county import LULIANG
from tests.subsidies.machine_county import OVER, WITH_BANK, CountyMachine, seeds
from tests.subsidies.passage import FAILED, PAID, PROCESSING, answer_bytes, awaited, profile_of

REJECTABLE: Final = (BatchState.TOWNSHIP, BatchState.APPROVAL, BatchState.FINANCE)


class BatchMachine(CountyMachine):
    """What may happen to batches."""

    def begin(self) -> None:
        """A first month that was paid but for one line: something to fail, to recover and to reissue."""
        batch = batch_build(month=self.newest(), kind=BatchKind.REGULAR, actor=self.who.maker)
        self.clear_anomalies()
        while batch.state not in WITH_BANK:
            self.step(batch)
            batch.refresh_from_db()
        lines = awaited(batch)
        content = answer_bytes(lines, {lines[0].number: (FAILED, "已销户")})
        return_import(batch_id=batch.pk, name="回盘.txt", content=content, actor=self.who.finance)

    @rule(kind=st.sampled_from([BatchKind.REGULAR, BatchKind.REGULAR, BatchKind.REISSUE]))
    def build(self, kind: BatchKind) -> None:
        self.do(batch_build, month=self.newest(), kind=kind, actor=self.who.maker)

    @rule(seed=seeds, state=st.sampled_from([AnomalyState.CLEARED, AnomalyState.HELD]))
    def anomalies_are_decided(self, seed: int, state: AnomalyState) -> None:
        row = self.some(seed, Anomaly.objects.filter(state=AnomalyState.OPEN))
        if row is not None:
            self.do(anomaly_decide, anomaly_ids=[row.pk], state=state, reason="已核实", actor=self.who.maker)

    @rule(seed=seeds)
    def go_on(self, seed: int) -> None:
        """The next step of some batch."""
        batch = self.some(seed, Batch.objects.exclude(state__in=OVER))
        if batch is not None:
            self.step(batch)

    @rule(
        kind=st.sampled_from([BatchKind.REGULAR, BatchKind.REGULAR, BatchKind.REISSUE]),
        steps=st.integers(3, 9),
        seed=seeds,
        luck=st.randoms(use_true_random=False),
    )
    def pay(self, kind: BatchKind, steps: int, seed: int, luck: Random) -> None:
        """A batch on its way, some steps far; most get to the bank and back."""
        self.do(batch_build, month=self.newest(), kind=kind, actor=self.who.maker)
        self.clear_anomalies()
        batch = self.some(seed, Batch.objects.exclude(state__in=OVER))
        for _ in range(steps):
            if batch is not None and batch.state not in WITH_BANK:
                self.step(batch)
                batch.refresh_from_db()
        if steps == 9 and batch is not None and batch.state in WITH_BANK:
            self.finish(batch)
        elif steps > 4:
            self.the_bank_answers(seed, luck)

    def clear_anomalies(self) -> None:
        ids = list(Anomaly.objects.filter(state=AnomalyState.OPEN).values_list("pk", flat=True))
        with suppress(MoneyRefusedError):
            anomaly_decide(
                anomaly_ids=ids, state=AnomalyState.CLEARED, reason="核实无误", actor=self.who.maker
            )

    def step(self, batch: Batch) -> None:
        who, pk = self.who, batch.pk
        match batch.state:
            case BatchState.DRAFT:
                self.do(batch_submit, batch_id=pk, actor=who.maker)
            case BatchState.TOWNSHIP:
                for check in batch.checks.filter(checked_by=None):
                    lead = who.lead_a if check.township == who.lead_a.area_prefixes()[0] else who.lead_b
                    self.do(township_check, batch_id=pk, township=check.township, actor=lead)
            case BatchState.APPROVAL:
                self.do(batch_approve, batch_id=pk, actor=who.chief)
            case BatchState.FINANCE:
                self.do(batch_confirm, batch_id=pk, actor=who.finance)
            case BatchState.CONFIRMED:
                self.to_bank(batch)
            case BatchState.SENT | BatchState.RETURNED:
                self.do(batch_close, batch_id=pk, actor=who.finance_two)

    def to_bank(self, batch: Batch) -> None:
        profile = profile_of(LULIANG)
        self.do(bank_file_make, batch_id=batch.pk, profile_id=profile.pk, actor=self.who.finance)
        batch.refresh_from_db()
        if hasattr(batch, "bank_file"):
            bank_file_download(bank_file_id=batch.bank_file.pk, actor=self.who.finance)
        self.do(batch_send, batch_id=batch.pk, actor=self.who.finance)

    @rule(seed=seeds)
    def take_back(self, seed: int) -> None:
        """A draft is deleted, or a batch on its way is sent back."""
        batch = self.some(seed, Batch.objects.filter(state__in=[BatchState.DRAFT, *REJECTABLE]))
        if batch is not None and batch.state == BatchState.DRAFT:
            self.do(batch_discard, batch_id=batch.pk, actor=self.who.maker)
        elif batch is not None:
            self.do(batch_reject, batch_id=batch.pk, actor=self.checker(batch), note="资料有误")

    @rule(seed=seeds, luck=st.randoms(use_true_random=False))
    def the_bank_answers(self, seed: int, luck: Random) -> None:
        """For some of the lines that wait, in any order, with anything; foreign rows among them."""
        batch = self.some(seed, Batch.objects.filter(state__in=WITH_BANK))
        if batch is None:
            return
        lines = [line for line in awaited(batch) if luck.random() < 0.8]
        luck.shuffle(lines)
        says = {
            line.number: luck.choice(
                [(PAID, ""), (PAID, ""), (FAILED, "已销户"), (FAILED, "挂失"), (PROCESSING, "")]
            )
            for line in lines
        }
        content = answer_bytes(lines, says) + f"99999|6200|外人|1.00|成功|||{seed}\r\n".encode("gbk")
        self.do(return_import, batch_id=batch.pk, name="回盘.txt", content=content, actor=self.who.finance)

    @rule(seed=seeds)
    def the_bank_takes_a_payment_back(self, seed: int) -> None:
        """退票: what had arrived comes back, even after the batch was closed."""
        line = self.some(
            seed, Payment.objects.filter(state=PaymentState.PAID, batch__bank_file__isnull=False)
        )
        if line is not None and line.amount > line.offset:
            content = answer_bytes([line], {line.number: (FAILED, "账户状态异常")})
            self.do(
                return_import,
                batch_id=line.batch_id,
                name="退票.txt",
                content=content,
                actor=self.who.finance,
            )

    @rule(seed=seeds)
    def what_is_owed_no_more_is_cancelled(self, seed: int) -> None:
        line = self.some(seed, Payment.objects.filter(state=PaymentState.FAILED))
        if line is not None:
            self.do(unpaid_cancel, payment_ids=[line.pk], actor=self.who.maker, reason="已不再应发")

    def finish(self, batch: Batch) -> None:
        """Bring a batch to the bank, have everything paid, and close it."""
        for _ in range(7):
            batch.refresh_from_db()
            if batch.state not in WITH_BANK:
                self.step(batch)
        lines = awaited(batch)
        if lines:
            return_import(
                batch_id=batch.pk, name="全部成功.txt", content=answer_bytes(lines), actor=self.who.finance
            )
        self.step(batch)
