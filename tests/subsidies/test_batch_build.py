"""Building a draft: what gets into it, what is left out, and what is due again afterwards."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from catalog.models import Item
from eldercare.choices import Kind
from eldercare.models import BankAccount, Elder
from operations.models import AuditEntry
from subsidies.choices import AnomalyKind, AnomalyState, BatchKind, BatchState, PaymentState
from subsidies.models import Anomaly, Batch, Month, Payment
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch import batch_build, batch_discard
from tests.registry import add, make_elder
from tests.subsidies.county import OTHER_VILLAGE, due_lines, enrol, item, publish_list, run
from tests.subsidies.money import Staff, account, arrive, built, lines, staff, terms, void

pytestmark = pytest.mark.django_db(transaction=True)
JANUARY, FEBRUARY, MARCH = (date(2025, month, 1) for month in range(1, 4))
REGULAR, BACK_PAY = ("正常", Decimal(50)), ("补发", Decimal(50))


@pytest.fixture
def people(db: None) -> Staff:
    """POOR pays 50 a month to 低保, by the portal from February on; OTHER is paid outside."""
    publish()
    terms("POOR", FEBRUARY)
    return staff()


def publish(*changes: dict[str, Any]) -> None:
    """The list with a standard of 50, and what it was changed to."""
    values = [{"from": date(2023, 1, 1), "amount": 50}, *changes]
    items = (item("POOR", "低保", amount="1.0 * 标准"), item("OTHER", "低保", amount=7))
    publish_list(*items, rates=[{"name": "标准", "values": values}])


def poor(*, hukou: str = "530322101201", with_account: bool = True) -> Elder:
    elder = make_elder(date(1940, 1, 1), hukou=hukou, low_income_allowance=True)
    if with_account:
        account(elder)
    return elder


def test_a_draft_pays_what_is_due_to_who_has_an_account(people: Staff) -> None:
    first, second, without = poor(), poor(hukou=OTHER_VILLAGE), poor(with_account=False)
    run(JANUARY)
    batch = built(run(FEBRUARY), people.maker)
    assert lines(batch) == {(first.pk, FEBRUARY): REGULAR, (second.pk, FEBRUARY): REGULAR}
    assert (batch.number, batch.lines, batch.amount) == ("530322-202502-01", 2, Decimal(100))
    assert (batch.state, batch.revision) == (BatchState.DRAFT, 1)
    assert not Payment.objects.filter(elder=without).exists()


def test_a_line_carries_the_account_the_area_and_the_version_it_rests_on(people: Staff) -> None:
    elder = poor(hukou=OTHER_VILLAGE)
    batch = built(run(FEBRUARY), people.maker)
    line = batch.payments.get()
    bank = BankAccount.objects.get()
    assert (bytes(line.account_cipher), line.holder) == (bytes(bank.account_cipher), elder.name)
    assert (line.number, line.sequence, line.area_code) == (1, 1, OTHER_VILLAGE)
    assert line.item_version is not None
    assert line.item_version.item.code == "POOR"


def test_the_build_is_a_step_of_the_batch_and_of_the_audit_chain(people: Staff) -> None:
    poor()
    batch = built(run(FEBRUARY), people.maker)
    step = batch.steps.get()
    assert (step.action, step.state, step.actor, step.lines) == ("生成", "草稿", people.maker, 1)
    entry = AuditEntry.objects.get(action="批次生成草稿")
    assert (entry.subject, entry.data["lines"], entry.data["amount"]) == (
        "batch:530322-202502-01",
        1,
        "50.00",
    )


def test_a_draft_that_stands_is_returned_as_it_is(people: Staff) -> None:
    poor()
    month = run(FEBRUARY)
    batch = built(month, people.maker)
    poor()
    assert built(run(FEBRUARY), people.maker) == batch
    assert batch.payments.count() == 1
    assert AuditEntry.objects.filter(action="批次生成草稿").count() == 1


def test_what_is_on_its_way_is_not_due_again(people: Staff) -> None:
    poor()
    month = run(FEBRUARY)
    batch = built(month, people.maker)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.TOWNSHIP)
    with pytest.raises(MoneyRefusedError, match="没有需要发放的明细"):
        built(month, people.maker)


def test_who_is_found_later_is_paid_by_a_second_batch_of_the_month(people: Staff) -> None:
    poor()
    arrive(built(run(FEBRUARY), people.maker))
    late = poor()
    batch = built(run(FEBRUARY), people.maker)
    assert (batch.number, lines(batch)) == ("530322-202502-02", {(late.pk, FEBRUARY): REGULAR})


def test_an_item_without_terms_is_not_paid(people: Staff) -> None:
    poor()
    batch = built(run(FEBRUARY), people.maker)
    assert set(batch.payments.values_list("item__code", flat=True)) == {"POOR"}


def test_a_month_before_the_first_one_has_nothing_to_pay(people: Staff) -> None:
    poor()
    with pytest.raises(MoneyRefusedError, match="发放设置"):
        built(run(JANUARY), people.maker)


def test_a_change_of_a_month_paid_outside_is_paid_by_the_portal(people: Staff) -> None:
    elder = make_elder(date(1940, 1, 1))
    account(elder)
    run(JANUARY)
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2024, 12, 1))
    batch = built(run(FEBRUARY), people.maker)
    assert lines(batch) == {(elder.pk, JANUARY): BACK_PAY, (elder.pk, FEBRUARY): REGULAR}


def test_what_was_not_paid_in_its_month_is_back_pay_of_the_next(people: Staff) -> None:
    elder = poor(with_account=False)
    other = poor()
    arrive(built(run(FEBRUARY), people.maker))
    account(elder)
    batch = built(run(MARCH), people.maker)
    assert lines(batch) == {
        (elder.pk, FEBRUARY): BACK_PAY,
        (elder.pk, MARCH): REGULAR,
        (other.pk, MARCH): REGULAR,
    }


def test_the_runs_due_lines_and_the_batch_say_the_same(people: Staff) -> None:
    elder = poor(with_account=False)
    poor()
    arrive(built(run(FEBRUARY), people.maker))
    account(elder)
    month = run(MARCH)
    batch = built(month, people.maker)
    back = {
        (line.item.code, line.month): (line.kind, line.amount) for line in batch.payments.filter(kind="补发")
    }
    assert due_lines(elder, MARCH) == {("POOR", FEBRUARY): BACK_PAY} == back


def test_the_due_lines_of_a_run_stay_what_they_were_after_they_were_paid(people: Staff) -> None:
    elder = poor(with_account=False)
    run(FEBRUARY)
    account(elder)
    arrive(built(run(MARCH), people.maker))
    run(MARCH)
    assert due_lines(elder, MARCH) == {("POOR", FEBRUARY): BACK_PAY}


def test_a_batch_that_was_sent_back_is_due_again_as_a_regular_line(people: Staff) -> None:
    elder = poor()
    month = run(FEBRUARY)
    void(built(month, people.maker))
    batch = built(month, people.maker)
    assert lines(batch) == {(elder.pk, FEBRUARY): REGULAR}
    assert (batch.number, batch.payments.get().sequence) == ("530322-202502-02", 2)


def test_a_suspended_month_is_not_paid(people: Staff) -> None:
    elder, other = poor(), poor()
    enrol(elder, "POOR", JANUARY, state="暂停")
    assert lines(built(run(FEBRUARY), people.maker)) == {(other.pk, FEBRUARY): REGULAR}


@pytest.mark.parametrize("whole", [True, False], ids=["all items", "this item"])
def test_what_a_clerk_holds_back_is_left_out(people: Staff, whole: bool) -> None:
    held, other = poor(), poor()
    month = run(FEBRUARY)
    anomaly(month, held, AnomalyState.HELD, None if whole else "POOR", people)
    anomaly(month, other, AnomalyState.CLEARED, None, people)
    assert lines(built(month, people.maker)) == {(other.pk, FEBRUARY): REGULAR}


def anomaly(month: Month, elder: Elder, state: str, code: str | None, people: Staff) -> None:
    Anomaly.objects.create(
        run=month,
        elder=elder,
        item=Item.objects.get(code=code) if code else None,
        kind=AnomalyKind.HOLDER,
        detail="户名不是本人",
        fingerprint="x",
        area_code=elder.hukou_code,
        state=state,
        decided_by=people.chief,
        decided_at=timezone.now(),
    )


def test_only_the_items_asked_for(people: Staff) -> None:
    poor()
    terms("OTHER", FEBRUARY)
    month = run(FEBRUARY)
    other = Item.objects.get(code="OTHER")
    batch = batch_build(month=month, kind=BatchKind.REGULAR, actor=people.maker, item_ids=[other.pk])
    assert set(batch.payments.values_list("item__code", "amount")) == {("OTHER", Decimal(7))}


def test_nothing_to_pay_says_who_was_left_out(people: Staff) -> None:
    poor(with_account=False)
    with pytest.raises(MoneyRefusedError, match="1 条的老人没有有效银行账户"):
        built(run(FEBRUARY), people.maker)
    assert not Batch.objects.exists()


def test_who_may_not_make_batches_of_the_county_is_refused(people: Staff) -> None:
    poor()
    month = run(FEBRUARY)
    for stranger in (people.chief, people.finance, people.lead_a):
        with pytest.raises(MoneyRefusedError, match="权限"):
            built(month, stranger)


def test_a_discarded_draft_leaves_no_lines_and_is_due_again(people: Staff) -> None:
    elder = poor()
    month = run(FEBRUARY)
    batch = built(month, people.maker)
    batch_discard(batch_id=batch.pk, actor=people.maker)
    batch.refresh_from_db()
    assert (batch.state, batch.lines, batch.payments.count()) == (BatchState.VOID, 0, 0)
    assert lines(built(month, people.maker)) == {(elder.pk, FEBRUARY): REGULAR}


def test_discarding_twice_writes_one_step(people: Staff) -> None:
    poor()
    batch = built(run(FEBRUARY), people.maker)
    for _ in range(2):
        batch_discard(batch_id=batch.pk, actor=people.maker)
    assert list(batch.steps.values_list("action", "lines")) == [("生成", 1), ("删除草稿", 1)]


def test_only_the_maker_discards_and_only_a_draft(people: Staff) -> None:
    poor()
    batch = built(run(FEBRUARY), people.maker)
    with pytest.raises(MoneyRefusedError, match="请由其本人办理"):
        batch_discard(batch_id=batch.pk, actor=people.maker_two)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.APPROVAL)
    with pytest.raises(MoneyRefusedError, match="不能删除"):
        batch_discard(batch_id=batch.pk, actor=people.maker)


def test_a_build_that_fails_leaves_nothing(people: Staff) -> None:
    poor()
    month = run(FEBRUARY)

    def fail(step: str, done: int, total: int) -> None:
        if done == total:
            raise ConnectionError("停电")

    with pytest.raises(ConnectionError), transaction.atomic():
        batch_build(month=month, kind=BatchKind.REGULAR, actor=people.maker, report=fail)
    assert not Batch.objects.exists()
    assert not Payment.objects.exists()


def test_a_failed_line_is_paid_again_once(people: Staff) -> None:
    elder, _ = poor(), poor()
    month = run(FEBRUARY)
    first = built(month, people.maker)
    arrive(first, elder)
    with pytest.raises(MoneyRefusedError, match="没有需要发放的明细"):
        built(month, people.maker)
    again = built(month, people.maker, BatchKind.REISSUE)
    line = again.payments.get()
    assert (line.elder, line.reissues, line.amount, line.kind) == (
        elder,
        first.payments.get(elder=elder),
        Decimal(50),
        "正常",
    )
    arrive(again)
    with pytest.raises(MoneyRefusedError, match="没有可以重发的失败明细"):
        built(month, people.maker, BatchKind.REISSUE)


def test_what_fails_twice_is_paid_again_after_the_second_failure(people: Staff) -> None:
    elder = poor()
    month = run(FEBRUARY)
    arrive(built(month, people.maker), elder)
    second = built(month, people.maker, BatchKind.REISSUE)
    arrive(second, elder)
    third = built(month, people.maker, BatchKind.REISSUE)
    assert third.payments.get().reissues == second.payments.get()


def test_a_reissue_pays_what_is_still_due(people: Staff) -> None:
    elder = poor()
    month = run(FEBRUARY)
    arrive(built(month, people.maker), elder)
    publish({"from": date(2025, 2, 2), "amount": 30})
    month = run(FEBRUARY)
    assert built(month, people.maker, BatchKind.REISSUE).payments.get().amount == Decimal(30)


def test_what_is_no_longer_due_is_not_reissued(people: Staff) -> None:
    elder = poor()
    arrive(built(run(FEBRUARY), people.maker), elder)
    elder.circumstances.filter(kind=Kind.LOW_INCOME_ALLOWANCE).delete()
    with pytest.raises(MoneyRefusedError, match="没有可以重发的失败明细"):
        built(run(FEBRUARY), people.maker, BatchKind.REISSUE)


def test_a_rise_is_paid_as_a_new_line_beside_the_reissue(people: Staff) -> None:
    elder = poor()
    arrive(built(run(FEBRUARY), people.maker), elder)
    publish({"from": date(2025, 2, 2), "amount": 80})
    month = run(FEBRUARY)
    assert lines(built(month, people.maker)) == {(elder.pk, FEBRUARY): ("补发", Decimal(30))}
    assert built(month, people.maker, BatchKind.REISSUE).payments.get().amount == Decimal(50)


def test_a_failed_line_is_no_due_line_of_the_next_run(people: Staff) -> None:
    elder = poor()
    arrive(built(run(FEBRUARY), people.maker), elder)
    run(MARCH)
    assert due_lines(elder, MARCH) == {}


def test_what_was_paid_and_is_not_due_any_more_is_listed_for_recovery(people: Staff) -> None:
    elder = poor()
    batch = built(run(FEBRUARY), people.maker)
    arrive(batch)
    elder.circumstances.filter(kind=Kind.LOW_INCOME_ALLOWANCE).delete()
    run(MARCH)
    assert due_lines(elder, MARCH)["POOR", FEBRUARY] == ("追缴", Decimal(-50))
    assert batch.payments.get().state == PaymentState.PAID
