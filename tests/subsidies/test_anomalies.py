"""Anomalies of a run: each kind on both sides of its boundary, and decisions that outlive a re-run."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from catalog.models import DatedValue, Document, Item
from eldercare.choices import Kind
from eldercare.models import BankAccount, Elder
from operations.crypto import blind_index, encrypt
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Area, User
from subsidies.anomalies import JUMP_PARAMETER, anomalies_held, anomalies_of, anomalies_open
from subsidies.choices import AnomalyKind, AnomalyState, BatchKind, BatchState, PaymentState
from subsidies.models import Anomaly, Batch, Month, Payment, PaymentTerms, Recovery, RecoveryLine
from subsidies.refusals import MoneyRefusedError
from subsidies.services.anomaly import anomalies_refresh, anomaly_decide
from subsidies.services.batch import batch_build
from subsidies.services.batch_step import batch_submit
from tests.conftest import make_user
from tests.registry import add, make_elder
from tests.subsidies.county import ELSEWHERE, LULIANG, OTHER_VILLAGE, VILLAGE, item, publish_list, run

MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
BORN = date(1940, 2, 3)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def area() -> None:
    """The list A1: 50 元 from 80, 300 元 from 100, paid by the portal from March 2026."""
    publish_list(
        item("A1", "年龄 >= 80", amount=[{"if": "年龄 >= 100", "pay": 300}, {"if": "年龄 >= 80", "pay": 50}])
    )
    PaymentTerms.objects.create(item=Item.objects.get(code="A1"), first_month=MARCH)


@pytest.fixture
def clerk(area: None) -> User:
    """Clerk of the county's bureau."""
    return make_user("clerk", Role.BUREAU_CLERK, LULIANG)


def give_account(
    elder: Elder, number: str, *, holder: str = "", since: date = date(2024, 1, 1), until: date | None = None
) -> BankAccount:
    """Register an account; fictional numbers."""
    return BankAccount.objects.create(
        elder=elder,
        bank="测试银行",
        holder=holder or elder.name,
        account_cipher=encrypt(number),
        account_index=blind_index(number),
        valid=DateRange(since, until),
    )


def paid(
    elder: Elder,
    month: date,
    number: str,
    *,
    state: PaymentState = PaymentState.PAID,
    on: date = date(2026, 3, 25),
    batch: BatchState = BatchState.RETURNED,
    again: Payment | None = None,
    amount: int = 50,
) -> Payment:
    """One line of a batch of that month's run, to the account with the number."""
    row, _ = Month.objects.get_or_create(county_code=LULIANG, month=month)
    maker, _ = User.objects.get_or_create(username="maker")
    made, _ = Batch.objects.get_or_create(
        number=f"530322-{month:%Y%m}-{batch}",
        county_code=LULIANG,
        month=row,
        kind="发放",
        state=batch,
        revision=1,
        made_by=maker,
    )
    return Payment.objects.create(
        batch=made,
        number=made.payments.count() + 1,
        elder=elder,
        item=Item.objects.get(code="A1"),
        month=again.month if again else month,
        kind="正常",
        reissues=again,
        sequence=elder.payments.count() + 1,
        amount=Decimal(amount),
        area_code=elder.hukou_code,
        holder=elder.name,
        account_cipher=encrypt(number),
        account_index=blind_index(number),
        state=state,
        paid_on=on if state == PaymentState.PAID else None,
    )


def found(month: date = MARCH) -> set[tuple[str, str]]:
    """(name, kind) of the anomalies of a month after a refresh."""
    anomalies_refresh(month=Month.objects.get(month=month))
    rows = Anomaly.objects.filter(run__month=month)
    return set(rows.values_list("elder__name", "kind"))


def only(kind: AnomalyKind, month: date = MARCH) -> Anomaly:
    """The single anomaly of a kind."""
    return Anomaly.objects.get(run__month=month, kind=kind)


def test_a_due_line_without_an_account_is_listed_and_one_with_an_account_is_not(area: None) -> None:
    make_elder(BORN, name="无账户")
    give_account(make_elder(BORN, name="有账户"), "6200000000000001")
    run(MARCH)
    assert found() == {("无账户", "没有账户")}


def test_an_account_that_ends_today_is_none(area: None) -> None:
    elder = make_elder(BORN, name="甲")
    account = give_account(elder, "6200000000000001", until=timezone.localdate())
    run(MARCH)
    assert found() == {("甲", "没有账户")}
    account.valid = DateRange(date(2024, 1, 1), timezone.localdate() + timedelta(days=1))
    account.save()
    assert found() == set()


def test_an_account_of_two_due_elders_is_listed_for_both_even_of_one_household(area: None) -> None:
    head = make_elder(BORN, name="夫")
    wife = make_elder(BORN, name="妻")
    Elder.objects.filter(pk=wife.pk).update(household_key=head.household_key)
    for elder in (head, wife):
        give_account(elder, "6200000000000001")
    run(MARCH)
    assert found() == {("夫", "同一账户"), ("妻", "同一账户")}
    assert "2 位老年人" in Anomaly.objects.first().detail  # type: ignore[union-attr]  # two rows were found above
    assert "登记为同一户" in Anomaly.objects.first().detail  # type: ignore[union-attr]  # as above


def test_an_account_shared_with_somebody_who_is_not_due_is_not_listed(area: None) -> None:
    give_account(make_elder(BORN, name="应发"), "6200000000000001")
    give_account(make_elder(date(1960, 1, 1), name="不应发"), "6200000000000001")
    run(MARCH)
    assert found() == set()


def test_the_same_account_as_at_the_last_payment_is_no_change_and_another_is(area: None) -> None:
    same, other = make_elder(BORN, name="未换"), make_elder(BORN, name="已换")
    give_account(same, "6200000000000001")
    give_account(other, "6200000000000002")
    run(MARCH)
    run(APRIL)
    paid(same, MARCH, "6200000000000001")
    paid(other, MARCH, "6200000000000009")
    assert found(APRIL) == {("已换", "账户变更")}
    assert only(AnomalyKind.ACCOUNT_CHANGED, APRIL).detail.startswith("发放2026年3月的补贴后换了账户")


@pytest.mark.parametrize(("since", "listed"), [(date(2026, 3, 25), False), (date(2026, 3, 26), True)])
def test_an_account_registered_anew_after_the_day_of_payment_is_listed(
    area: None, since: date, listed: bool
) -> None:
    elder = make_elder(BORN, name="甲")
    give_account(elder, "6200000000000001", since=since)
    run(MARCH)
    run(APRIL)
    paid(elder, MARCH, "6200000000000001", on=date(2026, 3, 25))
    assert (("甲", "账户变更") in found(APRIL)) is listed


def test_an_elder_last_paid_long_ago_is_compared_with_that_payment(area: None) -> None:
    elder = make_elder(BORN, name="甲")
    give_account(elder, "6200000000000001")
    run(MARCH)
    paid(elder, date(2025, 1, 1), "6200000000000009", on=date(2025, 1, 20))
    assert found() == {("甲", "账户变更")}


@pytest.mark.parametrize(
    ("name", "holder", "listed"),
    [
        ("张三", "张三", False),
        ("张三", "张 三", False),
        ("阿依·古丽", "阿依古丽", False),
        ("张三", "张四", True),
    ],
)
def test_the_holder_must_be_the_elder_but_for_blanks_and_dots(
    area: None, name: str, holder: str, listed: bool
) -> None:
    give_account(make_elder(BORN, name=name), "6200000000000001", holder=holder)
    run(MARCH)
    assert found() == ({(name, "户名不符")} if listed else set())


@pytest.mark.parametrize(("percent", "listed"), [("500", False), ("499", True)])
def test_a_jump_is_a_change_by_more_than_the_countys_percentage(
    area: None, percent: str, listed: bool
) -> None:
    DatedValue.objects.create(
        document=Document.objects.get(),
        kind="parameter",
        name=JUMP_PARAMETER,
        value=percent,
        valid=DateRange(date(2023, 1, 1), None),
    )
    elder = make_elder(date(1926, 3, 20), name="百岁")
    give_account(elder, "6200000000000001")
    run(MARCH)
    run(APRIL)
    assert (("百岁", "金额突变") in found(APRIL)) is listed


def test_without_a_percentage_of_the_county_half_as_much_again_is_a_jump(area: None) -> None:
    give_account(make_elder(date(1926, 3, 20), name="百岁"), "6200000000000001")
    give_account(make_elder(BORN, name="平常"), "6200000000000002")
    run(MARCH)
    run(APRIL)
    assert found(APRIL) == {("百岁", "金额突变")}
    assert only(AnomalyKind.JUMP, APRIL).detail == "比上月多 250.00 元（上月 50.00 元，本月 300.00 元）"


@pytest.mark.parametrize(("died", "listed"), [(date(2026, 3, 31), True), (date(2026, 4, 1), False)])
def test_what_was_paid_for_a_month_after_the_month_of_death_is_listed(
    area: None, died: date, listed: bool
) -> None:
    elder = make_elder(BORN, name="逝者")
    give_account(elder, "6200000000000001")
    run(MARCH)
    run(APRIL)
    paid(elder, APRIL, "6200000000000001")
    add(elder, Kind.DEATH, "是", died)
    run(MAY)
    assert (("逝者", "死后发放") in found(MAY)) is listed


def test_a_payment_after_death_that_is_being_recovered_is_listed_no_longer(area: None) -> None:
    elder = make_elder(BORN, name="逝者")
    run(MARCH)
    run(APRIL)
    paid(elder, APRIL, "6200000000000001")
    add(elder, Kind.DEATH, "是", date(2026, 3, 2))
    row = run(MAY)
    assert ("逝者", "死后发放") in found(MAY)
    terms = {"elder": elder, "item": Item.objects.get(code="A1"), "amount": Decimal(50)}
    case = Recovery.objects.create(
        county_code=LULIANG,
        run=row,
        cause="去世",
        area_code=VILLAGE,
        due_stop=APRIL,
        actual_stop=APRIL,
        **terms,
    )
    RecoveryLine.objects.create(recovery=case, month=APRIL, sequence=1, **terms)
    assert ("逝者", "死后发放") not in found(MAY)


@pytest.mark.parametrize(
    ("hukou", "residence", "area_code"),
    [
        (VILLAGE, ELSEWHERE, VILLAGE),
        (ELSEWHERE, OTHER_VILLAGE, OTHER_VILLAGE),
        (ELSEWHERE, ELSEWHERE, LULIANG),
    ],
)
def test_what_concerns_an_elder_who_is_not_due_any_more_is_seen_in_the_county(
    area: None, clerk: User, hukou: str, residence: str, area_code: str
) -> None:
    elder = make_elder(BORN, name="逝者", hukou=hukou, residence=residence)
    run(MARCH)
    run(APRIL)
    paid(elder, APRIL, "6200000000000001")
    add(elder, Kind.DEATH, "是", date(2026, 3, 2))
    may = run(MAY)
    assert ("逝者", "死后发放") in found(MAY)
    assert {row.area_code for row in anomalies_of(may, clerk).filter(kind=AnomalyKind.AFTER_DEATH)} == {
        area_code
    }


def test_a_death_reported_after_the_run_shows_on_its_due_lines(area: None) -> None:
    elder = make_elder(BORN, name="逝者")
    give_account(elder, "6200000000000001")
    run(MARCH)
    add(elder, Kind.DEATH, "是", date(2026, 2, 27))
    assert found() == {("逝者", "死后发放")}
    assert only(AnomalyKind.AFTER_DEATH).detail == "已于 2026-02-27 去世，2026年3月仍有应发"


@pytest.mark.parametrize(("verified", "listed"), [(False, True), (True, False)])
def test_a_number_of_another_birthday_is_listed_unless_it_was_checked(
    area: None, verified: bool, listed: bool
) -> None:
    elder = make_elder(BORN, name="甲")
    give_account(elder, "6200000000000001")
    Elder.objects.filter(pk=elder.pk).update(birth_date=date(1940, 2, 4), id_verified=verified)
    run(MARCH)
    assert found() == ({("甲", "证件不符")} if listed else set())


def test_a_number_of_the_other_sex_is_listed(area: None) -> None:
    elder = make_elder(BORN, name="甲")
    give_account(elder, "6200000000000001")
    Elder.objects.filter(pk=elder.pk).update(sex="女" if elder.sex == "男" else "男")
    run(MARCH)
    assert found() == {("甲", "证件不符")}
    assert only(AnomalyKind.IDENTITY).detail == "证件号码上的性别与登记的性别不符"


@pytest.mark.parametrize(("first_month", "listed"), [(MARCH, True), (APRIL, False)])
def test_before_the_portal_pays_an_item_nothing_is_an_anomaly(
    area: None, first_month: date, listed: bool
) -> None:
    PaymentTerms.objects.update(first_month=first_month)
    make_elder(BORN, name="甲")
    run(MARCH)
    assert bool(found()) is listed


def test_a_line_that_a_submitted_batch_pays_is_looked_at_no_more(area: None) -> None:
    elder = make_elder(BORN, name="甲")
    run(MARCH)
    line = paid(elder, MARCH, "6200000000000001", state=PaymentState.PENDING, batch=BatchState.DRAFT)
    assert found() == {("甲", "没有账户")}
    Batch.objects.filter(pk=line.batch_id).update(state=BatchState.TOWNSHIP)
    assert found() == set()


def test_a_failed_line_is_looked_at_until_it_is_paid_again(area: None) -> None:
    elder = make_elder(BORN, name="甲")
    give_account(elder, "6200000000000001", holder="乙")
    add(elder, Kind.MOVED_OUT, "是", date(2026, 3, 5))
    run(MARCH)
    failed = paid(elder, MARCH, "6200000000000001", state=PaymentState.FAILED)
    run(APRIL)
    assert found(APRIL) == {("甲", "户名不符")}
    paid(elder, APRIL, "6200000000000001", state=PaymentState.PENDING, batch=BatchState.SENT, again=failed)
    assert found(APRIL) == set()


def test_a_new_account_after_a_failure_is_what_was_asked_for(area: None) -> None:
    elder = make_elder(BORN, name="甲")
    give_account(elder, "6200000000000002")
    add(elder, Kind.MOVED_OUT, "是", date(2026, 3, 5))
    run(MARCH)
    paid(elder, date(2026, 2, 1), "6200000000000001")
    paid(elder, MARCH, "6200000000000001", state=PaymentState.FAILED)
    run(APRIL)
    assert found(APRIL) == set()


def test_a_failed_line_is_not_due_a_second_time(area: None) -> None:
    elder = make_elder(date(1926, 2, 20), name="百岁")
    give_account(elder, "6200000000000001")
    run(date(2026, 2, 1))
    run(MARCH)
    assert found() == {("百岁", "金额突变")}
    paid(elder, MARCH, "6200000000000001", state=PaymentState.FAILED, amount=300)
    assert found() == set()


def test_a_run_finds_its_anomalies_by_itself(area: None) -> None:
    make_elder(BORN, name="无账户")
    row = run(MARCH)
    assert [each.kind for each in row.anomalies.all()] == ["没有账户"]


def test_a_batch_looks_for_anomalies_again_and_waits_for_their_decision(area: None, clerk: User) -> None:
    elder = make_elder(BORN, name="甲")
    give_account(elder, "6200000000000001")
    row = run(MARCH)
    BankAccount.objects.filter(elder=elder).update(holder="乙")
    batch = batch_build(month=row, kind=BatchKind.REGULAR, actor=clerk)
    with pytest.raises(MoneyRefusedError, match="还有 1 条异常待核实"):
        batch_submit(batch_id=batch.pk, actor=clerk)
    anomaly = row.anomalies.get()
    anomaly_decide(anomaly_ids=[anomaly.pk], state="放行", reason="监护人代领", actor=clerk)
    assert batch_submit(batch_id=batch.pk, actor=clerk).state == BatchState.TOWNSHIP


def test_a_draft_with_a_line_held_back_since_is_not_submitted(area: None, clerk: User) -> None:
    elder = make_elder(BORN, name="甲")
    give_account(elder, "6200000000000001", holder="乙")
    row = run(MARCH)
    batch = batch_build(month=row, kind=BatchKind.REGULAR, actor=clerk)
    anomaly_decide(anomaly_ids=[row.anomalies.get().pk], state="暂缓", reason="等监护证明", actor=clerk)
    with pytest.raises(MoneyRefusedError, match="重新生成后再提交"):
        batch_submit(batch_id=batch.pk, actor=clerk)


def test_a_decision_holds_through_a_re_run_while_its_reason_is_the_same(area: None, clerk: User) -> None:
    _couple()
    run(MARCH)
    found()
    rows = Anomaly.objects.values_list("pk", flat=True)
    assert anomaly_decide(anomaly_ids=list(rows), state="放行", reason="夫妻共用账户", actor=clerk) == 2
    found()
    assert set(Anomaly.objects.values_list("state", "reason")) == {("放行", "夫妻共用账户")}


def test_a_decision_ends_with_its_reason(area: None, clerk: User) -> None:
    _couple()
    run(MARCH)
    found()
    ids = list(Anomaly.objects.values_list("pk", flat=True))
    anomaly_decide(anomaly_ids=ids, state="放行", reason="夫妻共用账户", actor=clerk)
    give_account(make_elder(BORN, name="第三人"), "6200000000000001")
    run(MARCH)
    found()
    assert set(Anomaly.objects.values_list("state", flat=True)) == {"待核"}
    assert not Anomaly.objects.filter(decided_by__isnull=False).exists()
    assert Anomaly.objects.count() == 3


def test_a_decision_is_taken_over_by_the_next_month(area: None, clerk: User) -> None:
    _couple()
    run(MARCH)
    found()
    ids = list(Anomaly.objects.values_list("pk", flat=True))
    anomaly_decide(anomaly_ids=ids, state="放行", reason="夫妻共用账户", actor=clerk)
    run(APRIL)
    found(APRIL)
    rows = Anomaly.objects.filter(run__month=APRIL).values_list("state", "decided_by", "reason")
    assert set(rows) == {("放行", clerk.pk, "夫妻共用账户")}


def test_what_holds_no_longer_goes_unless_it_was_decided(area: None, clerk: User) -> None:
    open_one, decided = make_elder(BORN, name="未处理"), make_elder(BORN, name="已处理")
    run(MARCH)
    found()
    row = Anomaly.objects.get(elder=decided)
    anomaly_decide(anomaly_ids=[row.pk], state="暂缓", reason="等家属送账户来", actor=clerk)
    give_account(open_one, "6200000000000001")
    give_account(decided, "6200000000000002")
    assert found() == {("已处理", "没有账户")}


def test_a_second_refresh_changes_nothing(area: None) -> None:
    make_elder(BORN, name="甲")
    run(MARCH)
    found()
    before = list(Anomaly.objects.values())
    found()
    assert list(Anomaly.objects.values()) == before


def test_deciding_the_same_twice_changes_nothing_and_writes_no_second_entry(area: None, clerk: User) -> None:
    ids = _shared()
    for expected in (2, 0):
        assert anomaly_decide(anomaly_ids=ids, state="放行", reason="夫妻共用", actor=clerk) == expected
    assert AuditEntry.objects.filter(action="异常放行").count() == 2


def test_what_somebody_else_decided_is_refused_with_the_name(area: None, clerk: User) -> None:
    ids = _shared()
    anomaly_decide(anomaly_ids=ids, state="放行", reason="夫妻共用", actor=clerk)
    other = make_user("other_clerk", Role.BUREAU_CLERK, LULIANG)
    with pytest.raises(MoneyRefusedError, match=f"已由 {clerk} 于 .* 处理为“放行”"):
        anomaly_decide(anomaly_ids=ids, state="暂缓", reason="再核实一次", actor=other)


def test_a_decision_may_be_changed_by_who_saw_it(area: None, clerk: User) -> None:
    ids = _shared()
    anomaly_decide(anomaly_ids=ids, state="放行", reason="夫妻共用", actor=clerk)
    changed = anomaly_decide(
        anomaly_ids=ids, state="暂缓", reason="其实不是夫妻", actor=clerk, was=AnomalyState.CLEARED
    )
    assert changed == 2
    assert set(Anomaly.objects.values_list("state", flat=True)) == {"暂缓"}


def test_who_has_no_part_in_the_area_decides_nothing(area: None) -> None:
    ids = _shared()
    Area.objects.create(code="530322103000", name="丙镇", parent_id=LULIANG)
    for role, place in ((Role.BUREAU_CLERK, "530322103000"), (Role.BUREAU_CHIEF, LULIANG)):
        user = make_user(f"{role}_{place}", role, place)
        with pytest.raises(MoneyRefusedError, match="不在您的区划内"):
            anomaly_decide(anomaly_ids=ids, state="放行", reason="夫妻共用", actor=user)


def test_no_account_cannot_be_let_through_but_the_other_rows_are(area: None, clerk: User) -> None:
    ids = _shared()
    make_elder(BORN, name="无账户")
    run(MARCH)
    found()
    none = only(AnomalyKind.NO_ACCOUNT)
    assert anomaly_decide(anomaly_ids=[*ids, none.pk], state="放行", reason="夫妻共用", actor=clerk) == 2
    with pytest.raises(MoneyRefusedError, match="补录银行账户"):
        anomaly_decide(anomaly_ids=[none.pk], state="放行", reason="夫妻共用", actor=clerk)


@pytest.mark.parametrize(("reason", "passes"), [("核实", False), ("核实无误", True)])
def test_a_decision_needs_a_reason_of_four_characters(
    area: None, clerk: User, reason: str, passes: bool
) -> None:
    ids = _shared()
    if passes:
        assert anomaly_decide(anomaly_ids=ids, state="放行", reason=reason, actor=clerk) == 2
    else:
        with pytest.raises(MoneyRefusedError, match="处理理由"):
            anomaly_decide(anomaly_ids=ids, state="放行", reason=reason, actor=clerk)


def test_a_batch_is_concerned_by_open_anomalies_of_its_elders_alone(area: None, clerk: User) -> None:
    husband, _ = _couple()
    run(MARCH)
    batch = paid(husband, MARCH, "6200000000000001", state=PaymentState.PENDING, batch=BatchState.DRAFT).batch
    found()
    assert [row.elder for row in anomalies_open(batch)] == [husband]
    row = Anomaly.objects.get(elder=husband)
    anomaly_decide(anomaly_ids=[row.pk], state="暂缓", reason="先不发这一行", actor=clerk)
    assert not anomalies_open(batch).exists()
    assert [row.elder for row in anomalies_held(batch)] == [husband]


def test_an_anomaly_of_another_item_or_without_account_does_not_concern_a_batch(area: None) -> None:
    husband, _ = _couple()
    run(MARCH)
    batch = paid(husband, MARCH, "6200000000000001", state=PaymentState.PENDING, batch=BatchState.DRAFT).batch
    found()
    Anomaly.objects.filter(elder=husband).update(kind=AnomalyKind.NO_ACCOUNT)
    assert not anomalies_open(batch).exists()
    publish_list(item("B1", "年龄 >= 90"), code="other")
    Anomaly.objects.filter(elder=husband).update(kind="金额突变", item=Item.objects.get(code="B1"))
    assert not anomalies_open(batch).exists()
    Anomaly.objects.filter(elder=husband).update(item=Item.objects.get(code="A1"))
    assert anomalies_open(batch).exists()


def _couple() -> tuple[Elder, Elder]:
    """Two elders of different townships with one account."""
    husband, wife = make_elder(BORN, name="夫"), make_elder(BORN, name="妻", hukou=OTHER_VILLAGE)
    for elder in (husband, wife):
        give_account(elder, "6200000000000001")
    return husband, wife


def _shared() -> list[int]:
    """The anomalies of a couple in March."""
    _couple()
    run(MARCH)
    found()
    return list(Anomaly.objects.values_list("pk", flat=True))
