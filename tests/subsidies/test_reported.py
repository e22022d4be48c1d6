"""A visit reports a death or a move: nothing is paid unseen, from that moment until somebody has looked into it."""

from datetime import date, datetime
from uuid import uuid4

import pytest
from django.utils import timezone

from catalog.models import Item
from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from subsidies.anomalies import anomalies_of, anomalies_open
from subsidies.batch_gate import batch_gate
from subsidies.choices import AnomalyKind, AnomalyState, BatchAction, BatchKind
from subsidies.models import Anomaly, Batch, Month, PaymentTerms
from subsidies.refusals import MoneyRefusedError
from subsidies.reported import reports_open
from subsidies.review import anomaly_cells
from subsidies.services.anomaly import anomalies_refresh, anomaly_decide
from subsidies.services.batch import batch_build
from subsidies.services.batch_step import batch_submit
from tests.conftest import make_user
from tests.registry import make_elder
from tests.subsidies.county import LULIANG, VILLAGE, item, publish_list, run
from tests.subsidies.test_anomalies import give_account
from visits.choices import FollowUpState
from visits.models import FollowUp, Visit
from visits.services.arrival import visits_arrived
from visits.services.departure import departure_confirm
from visits.services.follow_up_step import follow_up_close

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clerk() -> User:
    """Clerk of the county's bureau; item A1 pays 50 元 from 80, by the portal from March 2026."""
    publish_list(item("A1", "年龄 >= 80", amount=50))
    PaymentTerms.objects.create(item=Item.objects.get(code="A1"), first_month=MARCH)
    return make_user("clerk", Role.BUREAU_CLERK, LULIANG)


def payee(name: str, account: str) -> Elder:
    """An elder who is due 50 元 a month."""
    elder = make_elder(date(1940, 2, 3), hukou=VILLAGE, name=name)
    give_account(elder, account)
    return elder


def report(elder: Elder, result: str = "已故") -> FollowUp:
    """A visit says so; the records' way in does the rest."""
    at = datetime(2026, 3, 10, 9, tzinfo=timezone.get_current_timezone())
    day = date(2026, 3, 9)
    event = Visit.objects.create(
        id=uuid4(), elder=elder, at=at, mode="上门", result=result, visitor="测试员", event_day=day
    )
    visits_arrived(visit_ids=[event.pk], now=timezone.now())
    return FollowUp.objects.get(visit=event)


def corrected(row: FollowUp, result: str) -> FollowUp:
    """The visitor corrects the report; the matter as it then stands."""
    fields = ("elder", "at", "mode", "visitor", "event_day")
    same = {name: getattr(row.visit, name) for name in fields}
    event = Visit.objects.create(id=uuid4(), **same, result=result, corrects=row.visit_id)
    visits_arrived(visit_ids=[event.pk], now=timezone.now())
    return FollowUp.objects.get(visit=event)


def march() -> Month:
    """The run of March."""
    return Month.objects.get(month=MARCH)


def names(batch: Batch) -> list[str]:
    """Whom the batch pays."""
    return sorted(batch.payments.values_list("elder__name", flat=True))


@pytest.mark.parametrize(
    ("result", "held"), [("已故", True), ("已迁出", True), ("入机构", False), ("住院", False)]
)
def test_who_is_reported_dead_or_gone_is_left_out_of_a_new_batch(
    clerk: User, result: str, held: bool
) -> None:
    payee("李在世", "6200000000000001")
    reported = payee("王报亡", "6200000000000002")
    run(MARCH)
    if result == "住院":
        Visit.objects.create(
            id=uuid4(), elder=reported, at=timezone.now(), mode="上门", result=result, visitor="测"
        )
    else:
        report(reported, result)
    batch = batch_build(month=march(), kind=BatchKind.REGULAR, actor=clerk)
    assert names(batch) == (["李在世"] if held else ["李在世", "王报亡"])


def test_the_anomaly_says_what_was_told_and_cannot_be_let_through(clerk: User) -> None:
    reported = payee("王报亡", "6200000000000002")
    run(MARCH)
    report(reported)
    anomalies_refresh(month=march())
    row = Anomaly.objects.get()
    assert (row.kind, row.detail) == (
        AnomalyKind.REPORTED_DEATH,
        "探访报告于 2026-03-09 已故，核实之前不发放",
    )
    for state in (AnomalyState.CLEARED, AnomalyState.HELD):
        with pytest.raises(MoneyRefusedError, match="请到“跟进”中核实"):
            anomaly_decide(anomaly_ids=[row.pk], state=state, reason="已经电话核实", actor=clerk)


def test_a_draft_made_before_is_not_submitted_while_a_death_is_reported(clerk: User) -> None:
    reported = payee("王报亡", "6200000000000002")
    run(MARCH)
    batch = batch_build(month=march(), kind=BatchKind.REGULAR, actor=clerk)
    report(reported)
    with pytest.raises(MoneyRefusedError, match=r"有 1 行的老年人由探访报告去世或迁出，还没有核实.*删除草稿"):
        batch_submit(batch_id=batch.pk, actor=clerk)


@pytest.mark.parametrize("action", [BatchAction.APPROVE, BatchAction.CONFIRM])
def test_a_batch_on_its_way_stops_where_somebody_answers_for_it(clerk: User, action: BatchAction) -> None:
    reported = payee("王报亡", "6200000000000002")
    run(MARCH)
    batch = batch_build(month=march(), kind=BatchKind.REGULAR, actor=clerk)
    batch_gate(batch=batch, action=action)
    row = report(reported)
    with pytest.raises(MoneyRefusedError, match=r"还没有核实.*退回重做"):
        batch_gate(batch=batch, action=action)
    follow_up_close(
        follow_up_id=row.pk, state=FollowUpState.DROPPED, note="误报，本人健在", seen=0, actor=clerk
    )
    batch_gate(batch=batch, action=action)


def test_a_false_report_pays_as_if_nothing_had_been_said(clerk: User) -> None:
    reported = payee("王报亡", "6200000000000002")
    run(MARCH)
    row = report(reported)
    anomalies_refresh(month=march())
    follow_up_close(
        follow_up_id=row.pk, state=FollowUpState.DROPPED, note="误报，本人健在", seen=0, actor=clerk
    )
    assert not anomalies_of(march(), clerk).exists() and anomaly_cells(march(), [""]) == []
    batch = batch_build(month=march(), kind=BatchKind.REGULAR, actor=clerk)
    assert names(batch) == ["王报亡"] and not anomalies_open(batch).exists()
    assert batch_submit(batch_id=batch.pk, actor=clerk).pk == batch.pk


def test_a_confirmed_death_pays_its_month_and_ends_with_it(clerk: User) -> None:
    reported = payee("王报亡", "6200000000000002")
    run(MARCH)
    row = report(reported)
    departure_confirm(follow_up_id=row.pk, day=date(2026, 3, 9), evidence="死亡证明", seen=0, actor=clerk)
    run(MARCH)
    run(APRIL)
    assert names(batch_build(month=march(), kind=BatchKind.REGULAR, actor=clerk)) == ["王报亡"]
    assert not Month.objects.get(month=APRIL).anomalies.exists()
    with pytest.raises(MoneyRefusedError, match="没有需要发放的明细"):
        batch_build(month=Month.objects.get(month=APRIL), kind=BatchKind.REGULAR, actor=clerk)


def test_a_report_of_another_county_holds_nothing_here(clerk: User) -> None:
    payee("李在世", "6200000000000001")
    stranger = make_elder(date(1940, 2, 3), hukou="610304101201", name="外县")
    run(MARCH)
    report(stranger)
    anomalies_refresh(month=march())
    assert not Anomaly.objects.exists()


def test_the_review_counts_a_report_only_while_it_waits(clerk: User) -> None:
    reported = payee("王报亡", "6200000000000002")
    run(MARCH)
    row = report(reported)
    anomalies_refresh(month=march())
    assert [cell.lines for cell in anomaly_cells(march(), [""])] == [1]
    follow_up_close(
        follow_up_id=row.pk, state=FollowUpState.DROPPED, note="误报，本人健在", seen=0, actor=clerk
    )
    assert anomaly_cells(march(), [""]) == []


def test_a_move_corrected_to_an_institution_holds_nothing_and_shows_no_anomaly(clerk: User) -> None:
    reported = payee("王报迁", "6200000000000002")
    run(MARCH)
    row = report(reported, "已迁出")
    anomalies_refresh(month=march())
    assert anomalies_of(march(), clerk).count() == reports_open([""]).count() == 1
    follow_up = corrected(row, "入机构")
    assert (follow_up.pk, follow_up.state) == (row.pk, row.state)
    assert not reports_open([""]).exists()
    assert not anomalies_of(march(), clerk).exists() and anomaly_cells(march(), [""]) == []
    assert names(batch_build(month=march(), kind=BatchKind.REGULAR, actor=clerk)) == ["王报迁"]


@pytest.mark.parametrize("results", [("入机构", "已迁出"), ("已迁出", "入机构")])
def test_a_move_reported_beside_an_institution_holds_the_payment(
    clerk: User, results: tuple[str, str]
) -> None:
    reported = payee("王报迁", "6200000000000002")
    payee("李在世", "6200000000000001")
    run(MARCH)
    for day, result in enumerate(results, start=10):
        at = datetime(2026, 3, day, 9, tzinfo=timezone.get_current_timezone())
        event = Visit.objects.create(
            id=uuid4(), elder=reported, at=at, mode="上门", result=result, visitor="测试员"
        )
        visits_arrived(visit_ids=[event.pk], now=timezone.now())
    assert FollowUp.objects.get().visit.result == "已迁出"
    assert reports_open([""]).count() == 1
    assert names(batch_build(month=march(), kind=BatchKind.REGULAR, actor=clerk)) == ["李在世"]
