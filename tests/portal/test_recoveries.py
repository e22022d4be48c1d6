"""Pages of recovery cases: who sees and does what, refusals that keep what was typed, and second clicks."""

import re
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from eldercare.models import Elder
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Area, User
from subsidies.choices import LineKind, RecoveryState
from subsidies.models import Adjustment, Month, Recovery, RecoveryEntry, RecoveryRequest
from tests.conftest import COUNTY, PASSWORD, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn, an_item
from tests.registry import make_elder
from tests.subsidies.recoveries import open_case, repay

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
PAPER = SimpleUploadedFile("同意书.pdf", b"%PDF-1.4 signed")


def take_back(month: Month, elder: Elder, village: str, *months: date) -> None:
    """Give the run 追缴 lines of 50 元 for A1."""
    for past in months:
        Adjustment.objects.create(
            run=month,
            elder=elder,
            item=an_item("A1"),
            month=past,
            kind=LineKind.RECOVERY,
            amount=Decimal(-50),
            area_code=village,
        )


@pytest.fixture
def overpaid(month: Month, elder_a: Elder, elder_b: Elder) -> Month:
    """elder_a was paid too much for January and February, elder_b for February."""
    take_back(month, elder_a, VILLAGE_A, JANUARY, FEBRUARY)
    take_back(month, elder_b, VILLAGE_B, FEBRUARY)
    return month


@pytest.fixture
def finance(county: Area) -> User:
    return make_user("finance", Role.FINANCE, COUNTY)


@pytest.fixture
def chief(county: Area) -> User:
    return make_user("chief", Role.BUREAU_CHIEF, COUNTY)


@pytest.fixture
def case(overpaid: Month, elder_a: Elder, bureau_clerk: User) -> Recovery:
    """elder_a's case over 100 元."""
    return open_case(overpaid, elder_a, "A1", bureau_clerk)


def url(name: str, case: Recovery) -> str:
    return reverse(f"portal:recovery-{name}", args=[case.pk])


def pair(elder: Elder) -> str:
    return f"{elder.pk}:{an_item('A1').pk}"


def test_the_candidates_are_grouped_by_elder_and_item(
    sign_in: SignIn, bureau_clerk: User, overpaid: Month, elder_a: Elder, elder_b: Elder
) -> None:
    rows = sign_in(bureau_clerk).get(reverse("portal:recovery-candidates")).context["rows"]
    found = [(row.candidate.name, row.candidate.months, row.candidate.amount, row.place) for row in rows]
    assert found == [("赵春梅", 2, Decimal(100), "甲镇 甲一村"), ("钱乙福", 1, Decimal(50), "乙镇 乙一村")]


def test_one_click_opens_a_case_and_shows_it(
    sign_in: SignIn, bureau_clerk: User, overpaid: Month, elder_a: Elder
) -> None:
    client = sign_in(bureau_clerk)
    for _ in range(2):
        response = client.post(reverse("portal:recoveries-open"), {"one": pair(elder_a), "cause": ""})
        assert response.headers["Location"] == url("detail", Recovery.objects.get())
    rows = client.get(reverse("portal:recovery-candidates")).context["rows"]
    assert [row.candidate.name for row in rows] == ["钱乙福"]


def test_several_are_opened_at_once_with_a_chosen_cause(
    sign_in: SignIn, bureau_clerk: User, overpaid: Month, elder_a: Elder, elder_b: Elder
) -> None:
    given = {"pair": [pair(elder_a), pair(elder_b)], "cause": "去世"}
    response = sign_in(bureau_clerk).post(reverse("portal:recoveries-open"), given, follow=True)
    assert "已立案 2 件，应追缴共 150.00 元" in response.content.decode()
    assert set(Recovery.objects.values_list("cause", flat=True)) == {"去世"}


@pytest.mark.parametrize("given", [{}, {"pair": "x:1"}, {"pair": "1"}, {"cause": "编的", "pair": "1:1"}])
def test_nonsense_opens_nothing(
    sign_in: SignIn, bureau_clerk: User, overpaid: Month, given: dict[str, str]
) -> None:
    response = sign_in(bureau_clerk).post(reverse("portal:recoveries-open"), given)
    assert response.headers["Location"] == reverse("portal:recovery-candidates")
    assert not Recovery.objects.exists()


def test_nobody_opens_a_case_for_an_elder_of_another_county(
    sign_in: SignIn, bureau_clerk: User, overpaid: Month
) -> None:
    stranger = make_elder(date(1940, 1, 1), hukou="530324101201")
    response = sign_in(bureau_clerk).post(reverse("portal:recoveries-open"), {"pair": pair(stranger)})
    assert response.status_code == 404


def test_the_list_sums_to_its_figures(
    sign_in: SignIn, bureau_clerk: User, case: Recovery, finance: User
) -> None:
    repay(case, "30.00", finance)
    context = sign_in(bureau_clerk).get(reverse("portal:recovery-list")).context
    figures = context["figures"]
    assert (figures.cases, figures.open_cases, figures.claimed) == (1, 1, Decimal(100))
    assert (figures.returned, figures.open) == (Decimal(30), Decimal(70))
    assert context["candidates"] == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("state=拟追缴", 1),
        ("state=结清", 0),
        ("cause=去世", 1),
        ("cause=其他", 0),
        ("due=open", 1),
        ("due=overdue", 0),
        ("area=530322101000", 1),
        ("area=530322102000", 0),
        ("area=nonsense", 0),
        ("item=9999999", 0),
        ("item=x", 0),
        ("find=unknown", 0),
    ],
)
def test_the_filters_narrow_the_list(
    sign_in: SignIn, bureau_clerk: User, case: Recovery, query: str, found: int
) -> None:
    response = sign_in(bureau_clerk).get(f"{reverse('portal:recovery-list')}?{query}")
    assert len(response.context["rows"]) == found


def test_the_search_finds_by_name_and_keeps_it_out_of_the_url(
    sign_in: SignIn, bureau_clerk: User, case: Recovery
) -> None:
    client = sign_in(bureau_clerk)
    for text, found in (("赵春", 1), ("钱乙", 0)):
        response = client.post(reverse("portal:recoveries-find"), {"q": text}, follow=True)
        assert len(response.context["rows"]) == found
        assert text not in response.redirect_chain[-1][0]


def test_a_case_past_its_date_is_overdue(sign_in: SignIn, bureau_clerk: User, case: Recovery) -> None:
    Recovery.objects.filter(pk=case.pk).update(notified_on=date(2026, 1, 1), pay_by=date(2026, 2, 1))
    response = sign_in(bureau_clerk).get(f"{reverse('portal:recovery-list')}?due=overdue")
    assert response.context["figures"].overdue == 1
    assert "逾期" in response.content.decode()


def test_the_notice_is_recorded_once_however_often_it_is_clicked(
    sign_in: SignIn, bureau_clerk: User, case: Recovery
) -> None:
    client, today = sign_in(bureau_clerk), timezone.localdate()
    for _ in range(2):
        response = client.post(url("notify", case), {"on": f"{today}", "pay_by": ""})
        assert response.headers["Location"] == url("detail", case)
    case.refresh_from_db()
    assert (case.state, case.notified_on) == (RecoveryState.NOTIFIED, today)
    assert AuditEntry.objects.filter(action="追缴通知").count() == 1


def test_a_bad_day_keeps_what_was_typed(sign_in: SignIn, bureau_clerk: User, case: Recovery) -> None:
    response = sign_in(bureau_clerk).post(url("notify", case), {"on": "11月3日", "pay_by": "2026-12-31"})
    text = response.content.decode()
    assert response.status_code == 400
    assert "通知日期应写成 2026-11-01 的样子" in text
    assert 'value="11月3日"' in text
    assert 'value="2026-12-31"' in text


def test_a_repayment_clicked_twice_is_booked_once(sign_in: SignIn, finance: User, case: Recovery) -> None:
    client = sign_in(finance)
    page = client.get(url("detail", case)).content.decode()
    key = re.search(r'name="key" value="([0-9a-f-]{36})"', page)
    assert key is not None
    given = {"amount": "40.00", "on": "2026-03-05", "note": "缴款书", "key": key[1]}
    for _ in range(2):
        assert client.post(url("repay", case), given).status_code == 302
    assert list(RecoveryEntry.objects.values_list("amount", "note")) == [(Decimal(40), "缴款书")]


@pytest.mark.parametrize(
    ("amount", "status", "said"),
    [
        ("100.01", 409, "未退金额只有 100.00 元"),
        ("0", 409, "大于 0"),
        ("1.234", 400, "最多两位小数"),
        ("一百", 400, "应为数字"),
        ("NaN", 400, "应为数字"),
        ("1e400", 400, "退回金额"),
        ("", 400, "请填写退回金额"),
    ],
)
def test_a_wrong_sum_is_refused_and_stays_in_the_field(
    sign_in: SignIn, finance: User, case: Recovery, amount: str, status: int, said: str
) -> None:
    given = {"amount": amount, "on": "2026-03-05", "note": "收据8号", "key": str(uuid4())}
    response = sign_in(finance).post(url("repay", case), given)
    text = response.content.decode()
    assert response.status_code == status
    assert said in text
    assert 'value="收据8号"' in text
    assert not RecoveryEntry.objects.exists()


def test_a_repayment_is_reversed_once_with_its_reason(sign_in: SignIn, finance: User, case: Recovery) -> None:
    entry = repay(case, "40.00", finance)
    client = sign_in(finance)
    for _ in range(2):
        given = {"entry": entry.pk, "note": "登记错户", "key": str(uuid4())}
        assert client.post(url("reverse", case), given).status_code == 302
    assert list(RecoveryEntry.objects.values_list("amount", flat=True)) == [Decimal(40), Decimal(-40)]
    assert (
        client.post(url("reverse", case), {"entry": 10**9, "note": "无", "key": uuid4()}).status_code == 404
    )


def test_consent_is_kept_encrypted_and_taking_it_is_audited(
    sign_in: SignIn, bureau_clerk: User, case: Recovery
) -> None:
    client = sign_in(bureau_clerk)
    for _ in range(2):
        PAPER.seek(0)
        response = client.post(url("consent", case), {"on": "2026-03-01", "file": PAPER})
        assert response.status_code == 302
    paper = client.get(url("paper", case))
    assert paper.content == b"%PDF-1.4 signed"
    assert paper.headers["Content-Disposition"].startswith("attachment")
    assert AuditEntry.objects.filter(action="下载抵扣同意书").count() == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [("同意书.exe", b"MZ"), ("同意书.pdf", b"MZ-not-a-pdf"), ("同意书.svg", b"<svg/>"), ("空.pdf", b"")],
)
def test_only_scans_are_taken_as_consent(
    sign_in: SignIn, bureau_clerk: User, case: Recovery, name: str, content: bytes
) -> None:
    given = {"on": "2026-03-01", "file": SimpleUploadedFile(name, content)}
    response = sign_in(bureau_clerk).post(url("consent", case), given)
    assert response.status_code == 400
    case.refresh_from_db()
    assert case.consent is None


def test_without_a_paper_there_is_nothing_to_take(
    sign_in: SignIn, bureau_clerk: User, case: Recovery
) -> None:
    assert sign_in(bureau_clerk).get(url("paper", case)).status_code == 404


def test_a_write_off_is_asked_by_the_clerk_and_granted_by_the_chief_with_the_password(
    sign_in: SignIn, bureau_clerk: User, chief: User, case: Recovery
) -> None:
    clerk = sign_in(bureau_clerk)
    for _ in range(2):
        clerk.post(url("request", case), {"kind": "核销", "reason": "无力退回"})
    asked = RecoveryRequest.objects.get()
    client = sign_in(chief)
    given = {"request": asked.pk, "decision": "yes", "opinion": "同意", "password": "wrong"}
    refused = client.post(url("decide", case), given)
    assert refused.status_code == 409
    assert "密码不正确" in refused.content.decode()
    assert 'value="同意"' in refused.content.decode()
    assert "wrong" not in refused.content.decode()
    for _ in range(2):
        assert client.post(url("decide", case), given | {"password": PASSWORD}).status_code == 302
    case.refresh_from_db()
    assert case.state == RecoveryState.WRITTEN_OFF
    assert RecoveryEntry.objects.count() == 1


def test_a_write_off_is_opened_again_by_the_chief_with_the_password(
    sign_in: SignIn, bureau_clerk: User, chief: User, case: Recovery
) -> None:
    sign_in(bureau_clerk).post(url("request", case), {"kind": "核销", "reason": "无力退回"})
    client = sign_in(chief)
    given = {"request": RecoveryRequest.objects.get().pk, "decision": "yes", "password": PASSWORD}
    client.post(url("decide", case), given)
    entry = RecoveryEntry.objects.get()
    again = {"entry": entry.pk, "note": "已找到家属", "key": str(uuid4())}
    assert client.post(url("reopen", case), again | {"password": "no"}).status_code == 409
    assert client.post(url("reopen", case), again | {"password": PASSWORD}).status_code == 302
    case.refresh_from_db()
    assert case.state == RecoveryState.PROPOSED


def test_a_request_of_another_case_is_not_decided_here(
    sign_in: SignIn, bureau_clerk: User, chief: User, case: Recovery, elder_b: Elder
) -> None:
    other = open_case(case.run, elder_b, "A1", bureau_clerk)
    sign_in(bureau_clerk).post(url("request", other), {"kind": "核销", "reason": "无力退回"})
    given = {"request": RecoveryRequest.objects.get().pk, "decision": "yes", "password": PASSWORD}
    assert sign_in(chief).post(url("decide", case), given).status_code == 404


def test_the_record_of_an_elder_offers_the_case_with_one_click(
    sign_in: SignIn, bureau_clerk: User, overpaid: Month, elder_a: Elder
) -> None:
    client = sign_in(bureau_clerk)
    assert (
        reverse("portal:elder-recoveries", args=[elder_a.pk])
        in client.get(reverse("portal:elder-detail", args=[elder_a.pk])).content.decode()
    )
    part = client.get(reverse("portal:elder-recoveries", args=[elder_a.pk]), headers={"HX-Request": "true"})
    (row,) = part.context["overpaid"]
    assert (row.amount, row.months) == (Decimal(100), 2)
    assert f'value="{pair(elder_a)}"' in part.content.decode()
    client.post(reverse("portal:recoveries-open"), {"pair": pair(elder_a), "cause": ""})
    again = client.get(reverse("portal:elder-recoveries", args=[elder_a.pk]))
    assert again.context["overpaid"] == []
    assert len(again.context["cases"]) == 1


GETS = ("detail", "paper")
POSTS = ("notify", "consent", "repay", "reverse", "reopen", "request", "decide")


def refused(client: Client, address: str) -> int:
    return client.post(address).status_code


@pytest.mark.parametrize("name", POSTS)
def test_a_reader_changes_nothing(sign_in: SignIn, reader_a: User, case: Recovery, name: str) -> None:
    assert refused(sign_in(reader_a), url(name, case)) == 403


@pytest.mark.parametrize(
    ("role", "names"),
    [
        (Role.BUREAU_CLERK, ("repay", "reverse", "reopen", "decide")),
        (Role.FINANCE, ("notify", "consent", "request", "decide", "reopen")),
        (Role.BUREAU_CHIEF, ("notify", "consent", "request", "repay", "reverse")),
        (Role.TOWNSHIP_LEAD, POSTS),
    ],
)
def test_each_part_does_its_own_steps_only(
    sign_in: SignIn, case: Recovery, role: Role, names: tuple[str, ...]
) -> None:
    client = sign_in(make_user("somebody", role, COUNTY))
    assert {refused(client, url(name, case)) for name in names} == {403}


def test_another_township_or_county_does_not_know_the_case(
    sign_in: SignIn, clerk_b: User, case: Recovery
) -> None:
    Area.objects.create(code="530324000000", name="邻县")
    neighbour = make_user("neighbour", Role.BUREAU_CLERK, "530324000000")
    for user in (clerk_b, neighbour):
        client = sign_in(user)
        assert {client.get(url(name, case)).status_code for name in GETS} == {404}
        assert client.get(reverse("portal:recovery-list")).context["figures"].cases == 0
    for name in ("notify", "consent", "request"):
        assert refused(sign_in(neighbour), url(name, case)) == 404


def test_who_has_no_part_in_money_sees_no_case(sign_in: SignIn, system_admin: User, case: Recovery) -> None:
    client = sign_in(system_admin)
    addresses = [reverse("portal:recovery-list"), reverse("portal:recovery-candidates"), url("detail", case)]
    assert {client.get(address).status_code for address in addresses} == {403}


def test_steps_are_taken_by_post_alone_and_pages_only_read(
    sign_in: SignIn, bureau_clerk: User, finance: User, chief: User, case: Recovery
) -> None:
    allowed = {"repay": finance, "reverse": finance, "reopen": chief, "decide": chief}
    for name in POSTS:
        assert sign_in(allowed.get(name, bureau_clerk)).get(url(name, case)).status_code == 405, name
    client = sign_in(bureau_clerk)
    assert client.get(reverse("portal:recoveries-open")).status_code == 405
    assert client.post(url("detail", case)).status_code == 405


def test_the_pages_mask_numbers_and_write_no_style_or_script(
    sign_in: SignIn, bureau_clerk: User, case: Recovery, elder_a: Elder
) -> None:
    client = sign_in(bureau_clerk)
    inline = re.compile(rb"<style|<script>|<script(?! src=)|\sstyle=|\son[a-z]+=|javascript:")
    pages = [
        reverse("portal:recovery-list"),
        reverse("portal:recovery-candidates"),
        url("detail", case),
        reverse("portal:elder-recoveries", args=[elder_a.pk]),
    ]
    for address in pages:
        content = client.get(address).content
        assert elder_a.id_number.encode() not in content, address
        assert inline.findall(content) == [], address


@pytest.mark.parametrize("rows", [1, 30])
def test_the_pages_ask_the_database_as_often_for_many_as_for_one(
    sign_in: SignIn,
    bureau_clerk: User,
    month: Month,
    rows: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    elders = [make_elder(date(1940, 1, 1), hukou=VILLAGE_A) for _ in range(rows * 2)]
    for elder in elders:
        take_back(month, elder, VILLAGE_A, JANUARY, FEBRUARY)
    cases = [open_case(month, elder, "A1", bureau_clerk) for elder in elders[:rows]]
    client = sign_in(bureau_clerk)
    for address in (
        reverse("portal:recovery-list"),
        reverse("portal:recovery-candidates"),
        url("detail", cases[0]),
        reverse("portal:month-adjustments", args=["2026-03"]),
        reverse("portal:elder-recoveries", args=[elders[-1].pk]),
    ):
        with django_assert_max_num_queries(15):
            assert client.get(address).status_code == 200


def test_the_due_lines_of_a_month_say_why(
    sign_in: SignIn, bureau_clerk: User, month: Month, elder_a: Elder
) -> None:
    take_back(month, elder_a, VILLAGE_A, month.month)
    client = sign_in(bureau_clerk)
    text = client.get(reverse("portal:month-adjustments", args=["2026-03"])).content.decode()
    assert "<th>原因</th>" in text
    assert "2026年3月应发 50.00 元，已结 100.00 元" in text
    export = client.get(reverse("portal:adjustments-export", args=["2026-03", "csv"]))
    assert "已结 100.00 元" in b"".join(export.streaming_content).decode()  # type: ignore[attr-defined]  # streamed
