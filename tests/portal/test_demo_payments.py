"""Money of the demonstration: two months paid by its accounts, the newest left to the visitor, and a fictional bank."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F, Model
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from eldercare.models import BankAccount
from organization.choices import Role
from organization.models import Area
from portal.demo.accounts import person
from portal.demo.applications import applications_make
from portal.demo.areas import COUNTY
from portal.demo.bank import CAUSES, bank_answer
from portal.demo.payments import GO_LIVE, accounts_correct, money_steps
from subsidies.choices import (
    ApplicationState,
    BatchKind,
    BatchState,
    FundSource,
    LineKind,
    PaymentState,
    RecoveryState,
    ReturnReason,
    Verdict,
)
from subsidies.models import (
    Anomaly,
    Application,
    Appropriation,
    BankProfile,
    Batch,
    BatchStep,
    CertificationRound,
    Funding,
    Objection,
    Payment,
    PaymentTerms,
    Recovery,
    RecoveryEntry,
)
from subsidies.return_file import read_return
from subsidies.return_layout import return_layout
from subsidies.return_words import return_reason
from subsidies.services.bank_return import return_import
from tests.portal.demo import demo_county, demo_months

SEED = 7
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def _county(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """One small county for the module, built through the services and taken away afterwards."""
    with demo_county(django_db_blocker, tmp_path_factory.mktemp("demo"), elders=300, seed=SEED):
        yield


def _with_bank() -> Batch:
    return Batch.objects.get(state=BatchState.SENT)


def test_the_portal_pays_from_the_fourth_month_on() -> None:
    assert set(PaymentTerms.objects.values_list("first_month", flat=True)) == {demo_months()[GO_LIVE]}
    regular = Payment.objects.filter(kind=LineKind.REGULAR)
    assert regular.order_by("month")[0].month == demo_months()[GO_LIVE]


def test_two_months_are_paid_to_the_end() -> None:
    paid = Batch.objects.filter(kind=BatchKind.REGULAR, month__month__in=demo_months()[GO_LIVE:-1])
    assert [batch.state for batch in paid] == [BatchState.CLOSED] * 2
    assert all(batch.lines > 20 for batch in paid)


def test_the_newest_month_is_left_to_the_visitor_but_for_one_list_on_notice() -> None:
    newest = Batch.objects.filter(kind=BatchKind.REGULAR, month__month=demo_months()[-1])
    assert {batch.state for batch in newest} <= {BatchState.NOTICE}
    items = set(Payment.objects.filter(batch__in=newest).values_list("item__code", flat=True))
    assert items <= {"L19"}


def test_every_invariant_holds() -> None:
    out = StringIO()
    call_command("verify", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue().splitlines()[-1])["broken"] == {}


def test_the_bank_fails_some_of_each_month_and_the_first_failures_are_paid_again() -> None:
    months = demo_months()
    failed = Payment.objects.filter(batch__kind=BatchKind.REGULAR, state=PaymentState.FAILED)
    assert {line.batch.month.month for line in failed.select_related("batch__month")} == set(
        months[GO_LIVE:-1]
    )
    again = Payment.objects.filter(reissues__batch__month__month=months[GO_LIVE])
    assert again and {line.state for line in again} == {PaymentState.PAID}


def test_who_is_paid_again_has_another_account() -> None:
    again = Payment.objects.filter(reissues__isnull=False)
    assert again.exists()
    assert not again.filter(account_index=F("reissues__account_index")).exists()


def test_two_items_are_paid_from_two_sources() -> None:
    shares = {(row.source, int(row.share)) for row in Funding.objects.all()}
    assert shares == {(FundSource.FISCAL, 60), (FundSource.LOTTERY, 40)}
    assert Appropriation.objects.filter(source=FundSource.LOTTERY, item=None).exists()


def test_recoveries_stand_in_several_states() -> None:
    assert set(Recovery.objects.values_list("state", flat=True)) > {RecoveryState.PARTLY}


def test_applications_are_left_in_every_state() -> None:
    county = Area.objects.get(code=COUNTY)
    for role in (Role.TOWNSHIP_CLERK, Role.TOWNSHIP_LEAD):
        person(role).assignments.update(area=county)
    applications_make(demo_months()[-2], county)
    assert set(Application.objects.values_list("state", flat=True)) == set(ApplicationState)


def test_a_step_cut_short_and_done_again_changes_nothing() -> None:
    before, months = _money(), demo_months()
    for position, month in enumerate(months):
        if position > GO_LIVE:
            accounts_correct(months[position - 1], month, SEED)
        for _, step in money_steps(months, position, SEED):
            step()
    assert _money() == before


def _money() -> list[list[dict[str, Any]]]:
    """Every row that a step with money writes."""
    kept: tuple[type[Model], ...] = (
        Batch,
        BatchStep,
        Payment,
        Recovery,
        RecoveryEntry,
        Anomaly,
        Objection,
        BankAccount,
    )
    return [list(model._default_manager.order_by("pk").values()) for model in kept]


def test_a_round_of_certification_is_open() -> None:
    dues = CertificationRound.objects.get().dues
    assert dues.filter(certification=None).exists()
    assert dues.exclude(certification=None).exists()


def test_an_objection_holds_a_line_on_notice() -> None:
    for objection in Objection.objects.select_related("payment"):
        assert objection.payment.state == PaymentState.HELD


def test_the_bank_s_answer_is_taken_in(tmp_path: Path) -> None:
    batch, path = _with_bank(), tmp_path / "回盘.xlsx"
    told = _told(batch.number, path)
    assert (told["lines"], told["batch"]) == (batch.lines, batch.number)
    file = return_import(
        batch_id=batch.pk, name=path.name, content=path.read_bytes(), actor=person(Role.FINANCE)
    )
    assert file.counts == {Verdict.PAID: batch.lines}


def test_the_bank_answers_only_what_was_sent(tmp_path: Path) -> None:
    closed = Batch.objects.filter(state=BatchState.CLOSED)[0]
    for number in (closed.number, "990101-200001-01"):
        with pytest.raises(SystemExit):
            _told(number, tmp_path / "回盘.xlsx")
    assert not list(tmp_path.iterdir())


def _told(number: str, path: Path) -> dict[str, Any]:
    out = StringIO()
    call_command("demo_bank_return", number, output=str(path), stdout=out, stderr=StringIO())
    result: dict[str, Any] = json.loads(out.getvalue())
    return result


@pytest.mark.parametrize("name", ["通用 Excel", "竖线分隔文本（GBK）", "定长文本（GB18030）"])
def test_the_bank_answers_in_the_format_of_the_file(name: str) -> None:
    batch = Batch.objects.filter(kind=BatchKind.REGULAR, state=BatchState.CLOSED)[0]
    Payment.objects.filter(batch=batch).update(state=PaymentState.PENDING)
    batch.bank_file.profile = BankProfile.objects.get(name=name)
    content = bank_answer(batch, seed=SEED, today=timezone.localdate())
    rows = list(read_return(content, return_layout(batch.bank_file.profile.return_layout)))
    assert [(row.line, row.amount) for row in rows] == list(
        batch.payments.order_by("number").values_list("number", "amount")
    )
    failed = [row for row in rows if row.result == Verdict.FAILED]
    assert 1 <= len(failed) < len(rows) / 10
    assert {row.result for row in rows} == {Verdict.PAID, Verdict.FAILED}


def test_the_bank_says_the_same_for_the_same_seed_and_something_else_for_another() -> None:
    batch = Batch.objects.filter(kind=BatchKind.REGULAR, state=BatchState.CLOSED)[0]
    Payment.objects.filter(batch=batch).update(state=PaymentState.PENDING)
    layout = return_layout(batch.bank_file.profile.return_layout)
    answers = [
        list(read_return(bank_answer(batch, seed=seed, today=timezone.localdate()), layout))
        for seed in (SEED, SEED, *range(100, 110))
    ]
    assert answers[0] == answers[1]
    assert any(answer != answers[0] for answer in answers)


def test_every_cause_of_the_bank_is_understood() -> None:
    for code, words in CAUSES:
        assert return_reason(code, words) != ReturnReason.OTHER, words
