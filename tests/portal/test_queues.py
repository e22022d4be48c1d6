"""Live work queues: each shows its number to whom it waits for, and counts what its list shows."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from eldercare.models import Elder
from operations.crypto import blind_index, encrypt
from organization.choices import Role
from organization.models import User
from portal.queues import Queue, queues_for, warnings_of
from subsidies.choices import BatchState, Channel, PaymentState
from subsidies.models import (
    Adjustment,
    Anomaly,
    Batch,
    BatchStep,
    CertificationDue,
    CertificationRound,
    Month,
    Objection,
    Payment,
    Recovery,
    RecoveryRequest,
    TownshipCheck,
)
from subsidies.services.application import application_make
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn, an_item

TODAY = date(2026, 4, 10)


@pytest.fixture
def cast(month: Month) -> dict[str, User]:
    """One user of each role that handles money."""
    roles = {
        "clerk": (Role.BUREAU_CLERK, COUNTY),
        "lead_a": (Role.TOWNSHIP_LEAD, TOWN_A),
        "lead_b": (Role.TOWNSHIP_LEAD, TOWN_B),
        "chief": (Role.BUREAU_CHIEF, COUNTY),
        "finance": (Role.FINANCE, COUNTY),
        "town_clerk": (Role.TOWNSHIP_CLERK, TOWN_A),
    }
    return {name: make_user(f"q_{name}", role, area) for name, (role, area) in roles.items()}


def queues(user: User, month: Month, missed: int = 0) -> dict[str, Queue]:
    """Label → queue; 漏享 apart."""
    user = User.objects.get(pk=user.pk)
    found = queues_for(user, month, warnings_of(user, month, TODAY), missed, TODAY)
    return {queue.label: queue for queue in found}


def shown(user: User, month: Month) -> dict[str, int]:
    """Label → number."""
    return {label: queue.count for label, queue in queues(user, month).items()}


def a_batch(month: Month, maker: User, state: BatchState, *elders: Elder) -> Batch:
    """A batch of A1 with a line for each elder."""
    batch = Batch.objects.create(
        county_code=COUNTY,
        number=f"530322-202603-{Batch.objects.count() + 1:02d}",
        month=month,
        kind="发放",
        state=state,
        revision=1,
        made_by=maker,
        lines=len(elders),
        amount=50 * len(elders),
    )
    BatchStep.objects.create(batch=batch, action="生成", state="草稿", actor=maker, lines=1, amount=50)
    for number, elder in enumerate(elders, 1):
        Payment.objects.create(
            batch=batch,
            number=number,
            elder=elder,
            item=an_item("A1"),
            month=month.month,
            kind="正常",
            sequence=elder.payments.count() + 1,
            amount=Decimal(50),
            area_code=elder.hukou_code,
            holder=elder.name,
            account_cipher=encrypt("6200000000000001"),
            account_index=blind_index("6200000000000001"),
            state=PaymentState.PENDING,
        )
    return batch


@pytest.mark.parametrize(
    ("state", "label", "whose"),
    [
        (BatchState.DRAFT, "批次待提交", {"clerk"}),
        (BatchState.APPROVAL, "批次待审批", {"chief"}),
        (BatchState.FINANCE, "批次待财政确认", {"finance"}),
        (BatchState.CONFIRMED, "批次待生成银行文件", {"finance"}),
        (BatchState.SENT, "批次待导入回盘", {"finance"}),
    ],
)
def test_a_batch_waits_for_exactly_one_role(
    cast: dict[str, User], month: Month, elder_a: Elder, state: BatchState, label: str, whose: set[str]
) -> None:
    a_batch(month, cast["clerk"], state, elder_a)
    assert {name for name, user in cast.items() if label in shown(user, month)} == whose


def test_a_townships_share_waits_for_its_own_lead(
    cast: dict[str, User], month: Month, elder_a: Elder
) -> None:
    batch = a_batch(month, cast["clerk"], BatchState.TOWNSHIP, elder_a)
    check = TownshipCheck.objects.create(batch=batch, township=TOWN_A[:9], lines=1, amount=50)
    assert shown(cast["lead_a"], month) == {"批次待核实": 1}
    assert shown(cast["lead_b"], month) == {}
    check.checked_at = timezone.now()
    check.save()
    assert shown(cast["lead_a"], month) == {}


def test_one_batch_is_opened_itself_and_several_as_a_list(
    cast: dict[str, User], month: Month, elder_a: Elder, elder_b: Elder
) -> None:
    first = a_batch(month, cast["clerk"], BatchState.FINANCE, elder_a)
    assert queues(cast["finance"], month)["批次待财政确认"].url == f"/payments/{first.pk}/"
    a_batch(month, cast["clerk"], BatchState.FINANCE, elder_b)
    several = queues(cast["finance"], month)["批次待财政确认"]
    assert (several.count, several.url) == (2, "/payments/?view=open")


def test_open_anomalies_wait_for_the_bureaus_clerk_and_warn_the_chief(
    sign_in: SignIn, cast: dict[str, User], month: Month, elder_a: Elder
) -> None:
    Anomaly.objects.create(
        run=month, elder=elder_a, kind="同一账户", detail="情况", fingerprint="f", area_code=VILLAGE_A
    )
    queue = queues(cast["clerk"], month)["发放前异常待核实"]
    assert len(sign_in(cast["clerk"]).get(queue.url).context["rows"]) == queue.count == 1
    assert shown(cast["chief"], month) == {}
    assert warnings_of(cast["chief"], month, TODAY).anomalies == 1
    assert warnings_of(cast["lead_b"], month, TODAY).anomalies == 0


def test_applications_wait_for_the_next_person_alone(
    sign_in: SignIn, cast: dict[str, User], month: Month, elder_a: Elder
) -> None:
    application_make(elder=elder_a, item=an_item("A2"), channel=Channel.SELF, actor=cast["town_clerk"])
    assert {name for name, user in cast.items() if "享受申请待办理" in shown(user, month)} == {"lead_a"}
    queue = queues(cast["lead_a"], month)["享受申请待办理"]
    assert len(sign_in(cast["lead_a"]).get(queue.url).context["rows"]) == queue.count == 1


def test_an_objection_waits_for_who_may_approve(cast: dict[str, User], month: Month, elder_a: Elder) -> None:
    batch = a_batch(month, cast["clerk"], BatchState.NOTICE, elder_a)
    objection = Objection.objects.create(
        payment=batch.payments.get(), text="已迁走", received_by=cast["lead_a"]
    )
    assert {name for name, user in cast.items() if "公示异议待处理" in shown(user, month)} == {"chief"}
    Objection.objects.filter(pk=objection.pk).update(state="不成立")
    assert "公示异议待处理" not in shown(cast["chief"], month)


def test_recoveries_wait_to_be_opened_notified_and_chased(
    sign_in: SignIn, cast: dict[str, User], month: Month, elder_a: Elder, elder_b: Elder
) -> None:
    terms = {"item": an_item("A1"), "month": date(2026, 2, 1), "kind": "追缴", "amount": -50}
    for elder in (elder_a, elder_b):
        Adjustment.objects.create(run=month, elder=elder, area_code=elder.hukou_code, **terms)
    case = a_case(month, elder_a)
    assert shown(cast["clerk"], month) == {"多发待立案追缴": 1, "追缴待通知": 1}
    for label, queue in queues(cast["clerk"], month).items():
        assert len(sign_in(cast["clerk"]).get(queue.url).context["rows"]) == queue.count, label
    Recovery.objects.filter(pk=case.pk).update(state="已通知", pay_by=TODAY)
    assert "追缴已过退回期限" not in shown(cast["clerk"], month)
    Recovery.objects.filter(pk=case.pk).update(pay_by=TODAY - timedelta(days=1))
    assert shown(cast["clerk"], month)["追缴已过退回期限"] == 1
    assert shown(cast["finance"], month) == {"追缴已过退回期限": 1}


def test_a_write_off_waits_for_another_than_who_asked(
    cast: dict[str, User], month: Month, elder_a: Elder
) -> None:
    case = a_case(month, elder_a)
    request = RecoveryRequest.objects.create(
        recovery=case, kind="核销", reason="无法追回", made_by=cast["clerk"]
    )
    assert queues(cast["chief"], month)["追缴核销、撤销待审批"].url == f"/recoveries/{case.pk}/"
    RecoveryRequest.objects.filter(pk=request.pk).update(made_by=cast["chief"])
    assert shown(cast["chief"], month) == {}


def test_failed_lines_wait_until_they_are_paid_again(
    cast: dict[str, User], month: Month, elder_a: Elder, elder_b: Elder
) -> None:
    batch = a_batch(month, cast["clerk"], BatchState.RETURNED, elder_a, elder_b)
    batch.payments.update(state=PaymentState.FAILED, reason="已销户")
    assert shown(cast["clerk"], month)["发放失败待重发"] == 2
    assert warnings_of(cast["chief"], month, TODAY).failed_lines == 2
    failed = batch.payments.get(elder=elder_a)
    again = a_batch(month, cast["clerk"], BatchState.DRAFT)
    Payment.objects.create(
        **{
            field: getattr(failed, field)
            for field in (
                "elder",
                "item",
                "month",
                "kind",
                "area_code",
                "holder",
                "account_cipher",
                "account_index",
            )
        },
        batch=again,
        number=1,
        sequence=2,
        amount=Decimal(50),
        state=PaymentState.PENDING,
        reissues=failed,
    )
    assert shown(cast["clerk"], month)["发放失败待重发"] == 1


@pytest.mark.parametrize(
    ("due", "label"),
    [
        (TODAY - timedelta(days=1), "生存认证已逾期"),
        (TODAY, "生存认证即将到期"),
        (TODAY + timedelta(days=15), "生存认证即将到期"),
        (TODAY + timedelta(days=16), ""),
    ],
)
def test_certifications_wait_when_they_are_due(
    cast: dict[str, User], month: Month, elder_a: Elder, due: date, label: str
) -> None:
    row = CertificationRound.objects.create(
        county_code=COUNTY,
        name="一轮",
        opens=date(2026, 1, 1),
        due=due,
        suspends_on=due + timedelta(days=30),
    )
    CertificationDue.objects.create(round=row, elder=elder_a, area_code=VILLAGE_A)
    assert shown(cast["town_clerk"], month) == ({label: 1} if label else {})
    assert shown(cast["lead_b"], month) == {}


def test_who_misses_out_waits_for_who_may_hand_in_an_application(
    sign_in: SignIn, cast: dict[str, User], month: Month
) -> None:
    for name, number in (("town_clerk", 1), ("clerk", 1), ("chief", None), ("lead_a", None)):
        context = sign_in(cast[name]).get("/").context
        found = {queue.label: queue for queue in context["queues"]}
        assert (found["漏享待联系"].count if "漏享待联系" in found else None) == number, name
        assert context["missed"] == 1
        if number:
            page = sign_in(cast[name]).get(found["漏享待联系"].url).context
            assert len(page["rows"]) == number


def test_what_lies_in_another_township_does_not_wait_here(
    cast: dict[str, User], month: Month, elder_b: Elder
) -> None:
    application_make(elder=elder_b, item=an_item("A2"), channel=Channel.SELF, actor=cast["clerk"])
    assert shown(cast["lead_a"], month) == {}
    assert shown(cast["lead_b"], month) == {"享受申请待办理": 1}


def test_the_workbench_shows_paid_waiting_and_warnings(
    sign_in: SignIn, cast: dict[str, User], month: Month, elder_a: Elder, elder_b: Elder
) -> None:
    batch = a_batch(month, cast["clerk"], BatchState.RETURNED, elder_a, elder_b)
    batch.payments.filter(elder=elder_a).update(state=PaymentState.PAID, paid_on=TODAY)
    batch.payments.filter(elder=elder_b).update(state=PaymentState.FAILED, reason="已销户")
    context = sign_in(cast["finance"]).get("/").context
    paid = context["paid"]
    assert (paid.lines, paid.paid, paid.amount) == (2, 1, Decimal("50.00"))
    assert context["warnings"].total == 1
    assert context["waiting"] == 1
    township = sign_in(cast["lead_b"]).get("/").context
    assert (township["paid"].lines, township["paid"].paid) == (1, 0)


@pytest.mark.parametrize("name", ["clerk", "chief", "finance", "lead_a", "town_clerk"])
def test_the_queues_ask_few_questions_whatever_is_waiting(
    cast: dict[str, User],
    month: Month,
    elder_a: Elder,
    elder_b: Elder,
    django_assert_max_num_queries: Any,
    name: str,
) -> None:
    for state in (BatchState.DRAFT, BatchState.TOWNSHIP, BatchState.APPROVAL, BatchState.FINANCE):
        a_batch(month, cast["clerk"], state, elder_a)
    a_case(month, elder_b)
    application_make(elder=elder_a, item=an_item("A2"), channel=Channel.SELF, actor=cast["town_clerk"])
    user = User.objects.get(pk=cast[name].pk)
    user.role_names()
    with django_assert_max_num_queries(12):
        queues_for(user, month, warnings_of(user, month, TODAY), 1, TODAY)


def a_case(month: Month, elder: Elder) -> Recovery:
    """A recovery case of 50 元."""
    return Recovery.objects.create(
        county_code=COUNTY,
        elder=elder,
        item=an_item("A1"),
        run=month,
        cause="去世",
        area_code=VILLAGE_A if elder.hukou_code == VILLAGE_A else VILLAGE_B,
        due_stop=date(2026, 2, 1),
        actual_stop=date(2026, 2, 1),
        amount=50,
    )
