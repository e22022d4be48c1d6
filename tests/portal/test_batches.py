"""Batches on the pages: who sees what, figures that tie with their lists, and each step by the right person."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from eldercare.models import Elder
from operations.models import AuditEntry, Job
from organization.choices import Role
from organization.models import Area, User
from subsidies.choices import BatchState, PaymentState
from subsidies.models import Batch, Month, Payment
from subsidies.services.batch_step import batch_approve
from tests.conftest import COUNTY, PASSWORD, TOWN_A, TOWN_B, VILLAGE_A, make_user
from tests.portal.conftest import MARCH, SignIn, an_item
from tests.subsidies.money import terms


def page(client: Client, batch: Batch, path: str = "") -> str:
    """The text of a batch's page."""
    response = client.get(f"/payments/{batch.pk}/{path}")
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_says_whom_a_batch_waits_for(sign_in: SignIn, bureau_clerk: User, draft: Batch) -> None:
    text = sign_in(bureau_clerk).get("/payments/").content.decode()
    assert draft.number in text
    assert "轮到您" in text
    assert "100.00" in text


def test_a_draft_is_not_shown_to_townships(sign_in: SignIn, lead_a: User, draft: Batch) -> None:
    client = sign_in(lead_a)
    assert draft.number not in client.get("/payments/").content.decode()
    assert client.get(f"/payments/{draft.pk}/").status_code == 404


def test_a_township_sees_its_own_lines_alone(sign_in: SignIn, lead_a: User, submitted: Batch) -> None:
    client = sign_in(lead_a)
    figures = client.get(f"/payments/{submitted.pk}/").context["figures"]
    assert (figures.total.lines, figures.total.amount) == (1, Decimal("50.00"))
    text = page(client, submitted, "lines/")
    assert "赵春梅" in text
    assert "钱乙福" not in text
    line = Payment.objects.get(batch=submitted, elder__name="钱乙福")
    assert client.get(f"/payments/{submitted.pk}/lines/{line.number}/").status_code == 404


def test_the_table_ties_with_the_tiles(sign_in: SignIn, bureau_clerk: User, draft: Batch) -> None:
    figures = sign_in(bureau_clerk).get(f"/payments/{draft.pk}/").context["figures"]
    rows = sum(row.total.lines for row in figures.townships)
    columns = sum(column.total.lines for column in figures.items)
    assert rows == columns == figures.total.lines == figures.regular.lines == 2
    assert sum(row.total.amount for row in figures.townships) == figures.total.amount == draft.amount


def test_every_tile_opens_the_list_that_sums_to_it(sign_in: SignIn, bureau_clerk: User, draft: Batch) -> None:
    Payment.objects.filter(batch=draft, elder__name="钱乙福").update(state=PaymentState.HELD)
    client = sign_in(bureau_clerk)
    figures = client.get(f"/payments/{draft.pk}/").context["figures"]
    for query, figure in (
        ("?paying=1", figures.total),
        ("?paying=1&kind=正常", figures.regular),
        ("?paying=1&kind=补发", figures.back_pay),
        ("?state=暂缓", figures.held),
        ("?state=失败", figures.failed),
        (f"?paying=1&area={TOWN_A}", figures.townships[0].total),
    ):
        sums = client.get(f"/payments/{draft.pk}/lines/{query}").context["sums"]
        assert (sums.lines, sums.amount) == (figure.lines, figure.amount), query


def test_a_line_is_found_by_name_without_the_name_in_the_address(
    sign_in: SignIn, bureau_clerk: User, draft: Batch
) -> None:
    response = sign_in(bureau_clerk).post(
        f"/payments/{draft.pk}/lines/find/", {"q": "钱乙福", "state": "待发"}, follow=True
    )
    assert [row.payment.elder.name for row in response.context["rows"]] == ["钱乙福"]
    assert "钱" not in response.redirect_chain[-1][0]


def test_a_line_is_traced_to_fact_rule_and_document(
    sign_in: SignIn, bureau_clerk: User, draft: Batch, elder_a: Elder
) -> None:
    line = Payment.objects.get(batch=draft, elder=elder_a)
    text = page(sign_in(bureau_clerk), draft, f"lines/{line.number}/")
    for part in ("逐条核对", "年龄 ≥ 80", "测试清单", "第1项", draft.number):
        assert part in text


@pytest.mark.parametrize("path", ["", "lines/", "lines/1/"])
def test_no_page_shows_whole_numbers(
    sign_in: SignIn, bureau_clerk: User, draft: Batch, elder_a: Elder, path: str
) -> None:
    text = page(sign_in(bureau_clerk), draft, path)
    number = elder_a.bank_accounts.get()
    assert elder_a.id_number not in text
    assert number.masked_account[-4:] in text or path == ""
    assert "6200000000" not in text


def test_a_bureau_without_payments_gets_403(sign_in: SignIn, draft: Batch) -> None:
    worker = make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A)
    client = sign_in(worker)
    for path in ("", f"{draft.pk}/", f"{draft.pk}/lines/", "ledger/", "budget/", "terms/", "new/"):
        assert client.get(f"/payments/{path}").status_code == 403, path


def test_another_county_finds_nothing(sign_in: SignIn, draft: Batch) -> None:
    Area.objects.create(code="530324000000", name="邻县")
    client = sign_in(make_user("other", Role.BUREAU_CHIEF, "530324000000"))
    for path in ("", "lines/", "lines/1/", "lines/export.csv"):
        assert client.get(f"/payments/{draft.pk}/{path}").status_code == 404, path
    assert client.post(f"/payments/{draft.pk}/approve/").status_code == 404


STEPS = ("submit", "discard", "check", "approve", "reject", "confirm", "send", "close")


def test_steps_are_taken_by_post_alone(sign_in: SignIn, draft: Batch) -> None:
    everything = make_user("everything", Role.BUREAU_CLERK, COUNTY)
    for role in (Role.BUREAU_CHIEF, Role.FINANCE, Role.TOWNSHIP_LEAD):
        everything.assignments.create(role=role, area_id=COUNTY)
    client = sign_in(everything)
    for step in STEPS:
        assert client.get(f"/payments/{draft.pk}/{step}/").status_code == 405, step


def test_the_auditor_reads_and_changes_nothing(sign_in: SignIn, submitted: Batch) -> None:
    client = sign_in(make_user("auditor", Role.SUPERVISOR, COUNTY))
    assert client.get(f"/payments/{submitted.pk}/").status_code == 200
    assert client.get(f"/payments/{submitted.pk}/lines/1/").status_code == 200
    for step in STEPS:
        status = client.post(f"/payments/{submitted.pk}/{step}/", {"reason": "不对"}).status_code
        assert status == (409 if step == "reject" else 403), step
    submitted.refresh_from_db()
    assert submitted.state == BatchState.TOWNSHIP


def twice(client: Client, url: str, data: dict[str, str]) -> list[int]:
    """Status of the same form sent twice."""
    return [client.post(url, data).status_code for _ in range(2)]


def test_submitting_twice_submits_once(sign_in: SignIn, bureau_clerk: User, draft: Batch) -> None:
    assert twice(sign_in(bureau_clerk), f"/payments/{draft.pk}/submit/", {"note": "请核实"}) == [302, 302]
    draft.refresh_from_db()
    assert draft.state == BatchState.TOWNSHIP
    assert draft.steps.filter(action="提交").count() == 1


def test_checking_twice_checks_once(sign_in: SignIn, lead_a: User, submitted: Batch) -> None:
    data = {"township": TOWN_A[:9], "note": ""}
    assert twice(sign_in(lead_a), f"/payments/{submitted.pk}/check/", data) == [302, 302]
    assert submitted.steps.filter(action="核实").count() == 1


def test_a_lead_cannot_check_another_township(sign_in: SignIn, lead_a: User, submitted: Batch) -> None:
    response = sign_in(lead_a).post(f"/payments/{submitted.pk}/check/", {"township": TOWN_B[:9]})
    assert response.status_code == 409
    assert "不在您的区划范围内" in response.content.decode()
    assert submitted.checks.filter(checked_at__isnull=False).count() == 0


def test_approval_asks_for_the_password(sign_in: SignIn, chief: User, checked: Batch) -> None:
    client = sign_in(chief)
    response = client.post(f"/payments/{checked.pk}/approve/", {"password": "wrong", "note": "同意发放"})
    text = response.content.decode()
    assert response.status_code == 409
    assert "密码不正确" in text
    assert 'value="同意发放"' in text
    checked.refresh_from_db()
    assert checked.state == BatchState.APPROVAL


def test_approving_twice_approves_once(sign_in: SignIn, chief: User, checked: Batch) -> None:
    url, data = f"/payments/{checked.pk}/approve/", {"password": PASSWORD}
    assert twice(sign_in(chief), url, data) == [302, 302]
    assert checked.steps.filter(action="审批").count() == 1


def test_who_came_second_is_told_who_approved(sign_in: SignIn, chief: User, checked: Batch) -> None:
    batch_approve(batch_id=checked.pk, actor=make_user("first", Role.BUREAU_CHIEF, COUNTY))
    response = sign_in(chief).post(f"/payments/{checked.pk}/approve/", {"password": PASSWORD})
    assert response.status_code == 409
    assert "已由" in response.content.decode()


def test_a_rejection_without_a_reason_is_refused_with_the_way_out(
    sign_in: SignIn, chief: User, checked: Batch
) -> None:
    client = sign_in(chief)
    response = client.post(f"/payments/{checked.pk}/reject/", {"reason": "  "})
    assert (response.status_code, "请填写退回理由" in response.content.decode()) == (409, True)
    assert client.post(f"/payments/{checked.pk}/reject/", {"phrase": "金额有误"}).status_code == 302
    checked.refresh_from_db()
    assert checked.state == BatchState.VOID
    assert checked.steps.get(action="退回").note == "金额有误"


@pytest.mark.parametrize(
    ("state", "role", "action"),
    [
        (BatchState.APPROVAL, Role.BUREAU_CHIEF, "approve"),
        (BatchState.FINANCE, Role.FINANCE, "confirm"),
        (BatchState.CONFIRMED, Role.FINANCE, "file"),
        (BatchState.SENT, Role.FINANCE, "return"),
        (BatchState.APPROVAL, Role.FINANCE, ""),
        (BatchState.FINANCE, Role.BUREAU_CHIEF, ""),
    ],
)
def test_the_page_offers_the_one_next_step_to_whose_turn_it_is(
    sign_in: SignIn, checked: Batch, state: BatchState, role: Role, action: str
) -> None:
    Batch.objects.filter(pk=checked.pk).update(state=state)
    user = make_user("who", role, COUNTY)
    assert sign_in(user).get(f"/payments/{checked.pk}/").context["offer"].action == action


def test_the_maker_is_told_that_others_have_to_go_on(
    sign_in: SignIn, bureau_clerk: User, checked: Batch
) -> None:
    bureau_clerk.assignments.create(role=Role.BUREAU_CHIEF, area_id=COUNTY)
    text = page(sign_in(bureau_clerk), checked)
    assert "您是制单人，审批须由他人办理" in text
    assert "再次输入登录密码" not in text


def test_a_batch_is_asked_for_once_however_often_the_button_is_pressed(
    sign_in: SignIn, bureau_clerk: User, month: Month, elder_a: Elder
) -> None:
    terms("A1", MARCH)
    item_id = an_item("A1").pk
    data = {"month": "2026-03", "item": str(item_id)}
    assert twice(sign_in(bureau_clerk), "/payments/new/", data) == [302, 302]
    assert Job.objects.filter(kind="batch_build").count() == 1


def test_asking_for_a_batch_without_items_is_refused(
    sign_in: SignIn, bureau_clerk: User, month: Month
) -> None:
    terms("A1", MARCH)
    response = sign_in(bureau_clerk).post("/payments/new/", {"month": "2026-03"})
    assert (response.status_code, "请至少选一个项目" in response.content.decode()) == (400, True)


def test_the_download_holds_the_same_lines_masked_and_is_audited(
    sign_in: SignIn, bureau_clerk: User, draft: Batch, elder_a: Elder
) -> None:
    response = sign_in(bureau_clerk).get(f"/payments/{draft.pk}/lines/export.csv?paying=1")
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]  # the stubs know no streamed test response
    assert text.count(draft.number) == 2
    assert elder_a.masked_id_number in text
    assert elder_a.id_number not in text
    assert "6200000000" not in text
    assert AuditEntry.objects.get(action="导出发放明细").data["total"] == "2 笔，2 人，100.00 元"


def test_a_notice_that_is_over_lets_finance_go_on_before_the_night(
    sign_in: SignIn, finance: User, checked: Batch, chief: User
) -> None:
    batch = batch_approve(batch_id=checked.pk, actor=chief)
    day = timezone.localdate() - timedelta(days=1)
    Batch.objects.filter(pk=batch.pk).update(
        state=BatchState.NOTICE, notice_from=day, notice_until=day, notice_key=uuid4()
    )
    client = sign_in(finance)
    assert "轮到您" in client.get("/payments/").content.decode()
    assert client.get(f"/payments/{batch.pk}/").context["offer"].action == "confirm"
    batch.refresh_from_db()
    assert batch.state == BatchState.NOTICE
    assert client.post(f"/payments/{batch.pk}/confirm/", {"password": PASSWORD}).status_code == 302
    batch.refresh_from_db()
    assert batch.state == BatchState.CONFIRMED
