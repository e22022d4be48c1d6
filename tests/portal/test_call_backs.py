"""Calling back: drawing, the calls with their numbers, results, the return beside, and verifying the draw."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from eldercare.models import Elder
from operations.crypto import encrypt
from operations.models import AuditEntry
from operations.services.audit import audit_record
from organization.choices import Role
from organization.models import Area, User
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, make_user
from tests.portal.conftest import SignIn
from tests.portal.visits import MARCH, owe, visit
from tests.registry import make_elder
from visits.models import CallBack, CallBackDraw, VisitReturn
from visits.services.call_back import call_backs_draw
from visits.services.phone_reveal import A_DAY, LONGEST_REASON, REVEALED

LIST = "/visits/call-backs/"
PHONE = "19900001234"
pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(county: Area) -> User:
    """Lead of 甲镇."""
    return make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)


@pytest.fixture
def lead_b(county: Area) -> User:
    """Lead of 乙镇."""
    return make_user("lead_b", Role.TOWNSHIP_LEAD, TOWN_B)


@pytest.fixture
def seen(elder_a: Elder) -> Elder:
    """The elder of 甲镇, obliged and seen in March, with a telephone."""
    Elder.objects.filter(pk=elder_a.pk).update(phone_cipher=encrypt(PHONE), phone_last4=PHONE[-4:])
    owe(elder_a)
    visit(elder_a)
    return elder_a


@pytest.fixture
def call(seen: Elder, lead: User) -> CallBack:
    """The call about that visit."""
    return call_backs_draw(
        month=MARCH, area_code=TOWN_A, actor=lead, seed="s", today=date(2026, 4, 1)
    ).calls.get()


def detail(call: CallBack) -> str:
    return reverse("portal:call-back-detail", args=[call.draw_id])


def note(client: Client, call: CallBack, **given: str) -> Any:
    return client.post(reverse("portal:call-back-record", args=[call.draw_id, call.pk]), given)


def ask(client: Client, call: CallBack, reason: str = "回访核实探访情况") -> Any:
    return client.post(reverse("portal:call-back-phone", args=[call.draw_id, call.pk]), {"reason": reason})


def test_a_township_s_month_is_drawn_with_one_click(sign_in: SignIn, lead: User, seen: Elder) -> None:
    client = sign_in(lead)
    page = client.get(f"{LIST}?month=2026-03").content.decode()
    assert "甲镇" in page and "应抽 1" in page
    response = client.post(f"{LIST}draw/", {"month": "2026-03", "area": TOWN_A})
    draw = CallBackDraw.objects.get()
    assert response.headers["Location"] == reverse("portal:call-back-detail", args=[draw.pk])
    assert draw.seed in client.get(response.headers["Location"]).content.decode()


@pytest.mark.parametrize("area", [TOWN_B, COUNTY, "x"])
def test_another_township_s_month_is_not_drawn(sign_in: SignIn, lead: User, seen: Elder, area: str) -> None:
    response = sign_in(lead).post(f"{LIST}draw/", {"month": "2026-03", "area": area})
    assert response.status_code == 409
    assert "您区划范围内的一个镇" in response.content.decode()
    assert not CallBackDraw.objects.exists()


def test_a_second_draw_is_told_of_the_first(sign_in: SignIn, lead: User, call: CallBack) -> None:
    response = sign_in(lead).post(f"{LIST}draw/", {"month": "2026-03", "area": TOWN_A})
    assert response.status_code == 409
    assert "一个月只抽一次" in response.content.decode()


def test_the_number_is_masked_until_a_reason_is_given(sign_in: SignIn, lead: User, call: CallBack) -> None:
    client = sign_in(lead)
    assert PHONE not in client.get(detail(call)).content.decode()
    assert "199****1234" in client.get(detail(call)).content.decode()
    assert PHONE in ask(client, call).content.decode()
    entry = AuditEntry.objects.get(action=REVEALED)
    assert (entry.actor, entry.data["reason"]) == (lead, "回访核实探访情况")


@pytest.mark.parametrize("reason", ["", "看看"])
def test_without_a_reason_no_number_is_shown(
    sign_in: SignIn, lead: User, call: CallBack, reason: str
) -> None:
    text = ask(sign_in(lead), call, reason).content.decode()
    assert PHONE not in text and "至少 4 个字" in text
    assert not AuditEntry.objects.filter(action=REVEALED).exists()


@pytest.mark.parametrize(("letters", "given"), [(LONGEST_REASON, True), (LONGEST_REASON + 1, False)])
def test_a_reason_is_taken_whole_or_not_at_all(
    sign_in: SignIn, lead: User, call: CallBack, letters: int, given: bool
) -> None:
    text = ask(sign_in(lead), call, "核" * letters).content.decode()
    assert (PHONE in text, "请缩短到 100 个字以内" in text) == (given, not given)
    assert given or "核" * letters in text  # what was typed is there to be shortened
    assert AuditEntry.objects.filter(action=REVEALED, data__reason="核" * letters).exists() == given


@pytest.mark.parametrize(("before", "given"), [(A_DAY - 1, True), (A_DAY, False)])
def test_numbers_are_given_so_many_times_a_day(
    sign_in: SignIn, lead: User, call: CallBack, before: int, given: bool
) -> None:
    for _ in range(before):
        audit_record(action=REVEALED, subject="elder:1", actor=lead)
    assert (PHONE in ask(sign_in(lead), call).content.decode()) == given


def test_an_elder_without_a_number_is_told_so(sign_in: SignIn, lead: User, call: CallBack) -> None:
    Elder.objects.update(phone_cipher=b"")
    assert "没有登记" in ask(sign_in(lead), call).content.decode()


def test_a_confirmed_visit_is_counted(sign_in: SignIn, lead: User, call: CallBack) -> None:
    client = sign_in(lead)
    response = note(client, call, result="属实")
    assert response.headers["Location"] == f"{detail(call)}#call-{call.pk}"
    share = client.get(detail(call)).context["share"]
    assert (share.reached, share.refuted, share.calls) == (1, 0, 1)


def test_a_refuted_visit_offers_its_return_at_once_and_the_return_leads_back(
    sign_in: SignIn, lead: User, call: CallBack
) -> None:
    client = sign_in(lead)
    note(client, call, result="不属实", note="老人说那天没有人来")
    assert f'name="one" value="{call.visit_id}:0"' in client.get(detail(call)).content.decode()
    response = client.post(
        reverse("portal:visit-records-return"), {"one": f"{call.visit_id}:0", "draw": call.draw_id}
    )
    assert response.headers["Location"] == detail(call)
    assert VisitReturn.objects.get().visit_id == call.visit_id
    assert "记录已退回" in client.get(detail(call)).content.decode()


def test_a_refused_result_keeps_what_was_typed(sign_in: SignIn, lead: User, call: CallBack) -> None:
    response = note(sign_in(lead), call, result="不属实", note="没来")
    text = response.content.decode()
    assert response.status_code == 409
    assert "写清老人怎么说" in text and 'value="没来"' in text


@pytest.mark.parametrize(("result", "waits"), [("", True), ("未接通", True), ("属实", False)])
def test_the_waiting_are_the_rows_behind_their_figure(
    sign_in: SignIn, lead: User, call: CallBack, result: str, waits: bool
) -> None:
    CallBack.objects.update(result=result)
    context = sign_in(lead).get(f"{detail(call)}?result=待回访").context
    assert len(context["rows"]) == context["share"].waiting == int(waits)


def test_the_draw_is_verified_on_the_page(sign_in: SignIn, lead: User, call: CallBack) -> None:
    client = sign_in(lead)
    assert "验证一致" in client.get(f"{detail(call)}?verify=1").content.decode()
    CallBack.objects.update(visit=visit(call.visit.elder, "2026-03-20 10:00"))
    assert "验证不一致" in client.get(f"{detail(call)}?verify=1").content.decode()


def test_a_sample_and_its_calls_of_another_township_are_not_there(
    sign_in: SignIn, lead_b: User, call: CallBack
) -> None:
    client = sign_in(lead_b)
    answers = [client.get(detail(call)), note(client, call, result="属实"), ask(client, call)]
    assert [answer.status_code for answer in answers] == [404] * 3


@pytest.mark.parametrize(
    "role", [Role.VILLAGE_WORKER, Role.TOWNSHIP_CLERK, Role.BUREAU_CHIEF, Role.SUPERVISOR, Role.DEPARTMENT]
)
def test_who_does_not_call_back_sees_nothing_of_it(sign_in: SignIn, call: CallBack, role: Role) -> None:
    client = sign_in(make_user("other", role, VILLAGE_A if role == Role.VILLAGE_WORKER else COUNTY))
    answers = [client.get(LIST), client.get(detail(call)), note(client, call, result="属实")]
    answers.append(client.post(f"{LIST}draw/", {"month": "2026-03", "area": TOWN_A}))
    assert {answer.status_code for answer in answers} == {403}
    assert ask(client, call).status_code in {403, 404}


def test_pages_are_read_and_steps_are_posted(sign_in: SignIn, lead: User, call: CallBack) -> None:
    client = sign_in(lead)
    steps = [
        reverse(f"portal:call-back-{name}", args=[call.draw_id, call.pk]) for name in ("record", "phone")
    ]
    assert {client.get(url).status_code for url in (f"{LIST}draw/", *steps)} == {405}
    assert {client.post(url).status_code for url in (LIST, detail(call))} == {405}


@pytest.mark.parametrize("month", ["", "gestern", "2026-13", "1890-01"])
def test_a_bad_month_shows_a_list_all_the_same(
    sign_in: SignIn, lead: User, call: CallBack, month: str
) -> None:
    assert sign_in(lead).get(f"{LIST}?month={month}").status_code == 200


def test_the_list_keeps_to_its_queries_and_counts_each_township(
    sign_in: SignIn, bureau_clerk: User, seen: Elder, elder_b: Elder
) -> None:
    client = sign_in(bureau_clerk)
    client.get(f"{LIST}?month=2026-03")
    with CaptureQueriesContext(connection) as one:
        client.get(f"{LIST}?month=2026-03")
    owe(elder_b)
    visit(elder_b)
    visit(elder_b, "2026-03-11 10:00")
    with CaptureQueriesContext(connection) as two:
        rows = client.get(f"{LIST}?month=2026-03").context["rows"]
    assert [(row.code, row.records) for row in rows] == [(TOWN_A, 1), (TOWN_B, 2)]
    assert len(one) == len(two) <= 20


def test_the_calls_keep_to_their_queries(
    sign_in: SignIn, bureau_clerk: User, lead: User, county: Area
) -> None:
    for number in range(400):
        elder = make_elder(date(1940, 1, 1), hukou=VILLAGE_A)
        owe(elder)
        visit(elder, f"2026-03-{number % 28 + 1:02} 10:00")
    draw = call_backs_draw(month=MARCH, area_code=TOWN_A, actor=lead, seed="s", today=date(2026, 4, 1))
    client = sign_in(bureau_clerk)
    url = reverse("portal:call-back-detail", args=[draw.pk])
    client.get(url)
    with CaptureQueriesContext(connection) as many:
        assert len(client.get(url).context["rows"]) == 20
    assert len(many) <= 20
