"""The month's report and the frozen figure as pages: gaps first, each step by who may, and the checksum."""

from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import VisitTier
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Area, User
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn
from tests.portal.test_visit_rates import ELSEWHERE, Oblige, oblige
from tests.visits.conftest import SHANGHAI, visit
from visits.models import Obligation, PhoneState, RateSnapshot, VisitMonth, VisitReturn
from visits.services.month import visit_month_accept, visit_month_submit

__all__ = ["oblige"]
MARCH = date(2026, 3, 1)
PAGE = "/visits/2026-03/report/"
APRIL_2 = datetime(2026, 4, 2, 9, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def _after_the_month(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: APRIL_2)


@pytest.fixture
def lead(county: Area) -> User:
    """Lead of 甲镇."""
    return make_user("lead_a", Role.TOWNSHIP_LEAD, TOWN_A)


@pytest.fixture
def lead_b(county: Area) -> User:
    """Lead of 乙镇."""
    return make_user("lead_b", Role.TOWNSHIP_LEAD, TOWN_B)


@pytest.fixture
def chief(county: Area) -> User:
    """The county's chief."""
    return make_user("chief", Role.BUREAU_CHIEF, COUNTY)


@pytest.fixture
def march(oblige: Oblige) -> list[Obligation]:
    """甲镇 1/2, 乙镇 1/1: visited by records."""
    rows = [oblige(VILLAGE_A), oblige(VILLAGE_A), oblige(VILLAGE_B)]
    for row in (rows[0], rows[2]):
        visit(row.elder, "2026-03-10")
        Obligation.objects.filter(pk=row.pk).update(done=1, met=True)
    return rows


@pytest.fixture
def frozen(march: list[Obligation], lead: User, lead_b: User, bureau_clerk: User) -> RateSnapshot:
    """March of the county, accepted and frozen."""
    visit_month_submit(month=MARCH, area_code=TOWN_A, actor=lead, note="外出")
    visit_month_submit(month=MARCH, area_code=TOWN_B, actor=lead_b)
    for code in (TOWN_A, TOWN_B):
        visit_month_accept(month=MARCH, area_code=code, actor=bureau_clerk)
    return RateSnapshot.objects.get()


def body(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


def test_the_lead_sees_the_gaps_before_the_button(
    sign_in: SignIn, lead: User, march: list[Obligation], clerk_a: User
) -> None:
    sent = visit(march[1].elder, "2026-03-12")
    VisitReturn.objects.create(visit=sent, reason="照片不符", by=lead)
    Obligation.objects.filter(pk=march[0].pk).update(assignee=clerk_a)
    PhoneState.objects.create(user=clerk_a, synced_at=APRIL_2 - timedelta(days=2), waiting=3)
    text = body(sign_in(lead))
    places = [
        text.index(words)
        for words in ("未达标 1 人", "甲一村", "条待上传", "照片不符", "提交：已达标 1/2 人")
    ]
    assert places == sorted(places)


def test_the_countys_own_row_has_the_gaps_of_who_lives_in_none_of_its_townships(
    sign_in: SignIn, chief: User, march: list[Obligation], oblige: Oblige
) -> None:
    make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A)
    outside = [oblige(ELSEWHERE), oblige(COUNTY)]
    sent = [visit(row.elder, "2026-03-12") for row in (march[1], outside[0])]
    for record in sent:
        VisitReturn.objects.create(visit=record, reason="照片不符", by=chief)
    gaps = sign_in(chief).get(f"{PAGE}?area={COUNTY}").context["gaps"]
    assert {row.pk for row in gaps.people} == {row.pk for row in outside}
    assert (gaps.unmet, [each.visit for each in gaps.returns], gaps.never_synced) == (2, sent[1:], [])


def test_the_lead_submits_with_a_note_and_the_month_is_locked(
    sign_in: SignIn, lead: User, march: list[Obligation]
) -> None:
    response = sign_in(lead).post(f"{PAGE}{TOWN_A}/submit/", {"note": "外出务工"}, follow=True)
    assert "已提交并锁定" in response.content.decode()
    row = VisitMonth.objects.get(area_code=TOWN_A)
    assert (row.state, row.obliged, row.visited, row.note) == ("已提交", 2, 1, "外出务工")
    assert AuditEntry.objects.filter(action="探访月报提交", actor=lead).count() == 1


def test_a_refused_step_says_so_and_keeps_what_was_typed(
    sign_in: SignIn, lead: User, march: list[Obligation]
) -> None:
    note = "长" * 301
    response = sign_in(lead).post(f"{PAGE}{TOWN_A}/submit/", {"note": note})
    text = response.content.decode()
    assert response.status_code == 400
    assert "未达标说明有 301 个字" in text
    assert f'value="{note}"' in text
    assert not VisitMonth.objects.exists()


def test_before_the_last_day_the_button_is_a_date(
    sign_in: SignIn, lead: User, march: list[Obligation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 20, tzinfo=SHANGHAI))
    client = sign_in(lead)
    text = body(client)
    assert "03月31日起可以提交" in text or "3月31日起可以提交" in text
    assert "提交：已达标" not in text
    refused = client.post(f"{PAGE}{TOWN_A}/submit/", {"note": "外出"})
    assert (refused.status_code, VisitMonth.objects.count()) == (400, 0)


@pytest.mark.parametrize(
    ("now", "people"),
    [("2026-03-30 23:59", None), ("2026-03-31 00:00", 2), ("2026-04-05 23:59", 2), ("2026-04-06 00:00", 0)],
)
def test_while_the_last_week_is_open_the_page_and_the_button_say_for_how_many(
    sign_in: SignIn,
    lead: User,
    march: list[Obligation],
    oblige: Oblige,
    now: str,
    people: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weekly = oblige(VILLAGE_A, tier="week")
    VisitTier.objects.filter(pk=weekly.tier_id).update(per="周")
    oblige(VILLAGE_A, tier="week")
    oblige(VILLAGE_A, tier="week", met=True, done=1)
    oblige(VILLAGE_B, tier="week")
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromisoformat(now).replace(tzinfo=SHANGHAI))
    text = body(sign_in(lead))
    assert ("提交：已达标" in text) == (people is not None)
    assert ("每周探访的最后一周到 04月05日才结束，还有 2 人没有达标" in text) == bool(people)
    assert ("提交：已达标 2/5 人，2 人的最后一周没有结束" in text) == bool(people)


def test_without_weekly_tiers_the_button_is_the_plain_one(
    sign_in: SignIn, lead: User, march: list[Obligation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 31, tzinfo=SHANGHAI))
    text = body(sign_in(lead))
    assert "提交：已达标 1/2 人</button>" in text
    assert "最后一周" not in text


def test_the_lead_takes_back_what_is_not_accepted(
    sign_in: SignIn, lead: User, march: list[Obligation]
) -> None:
    client = sign_in(lead)
    client.post(f"{PAGE}{TOWN_A}/submit/", {"note": "外出"})
    text = client.post(f"{PAGE}{TOWN_A}/withdraw/", follow=True).content.decode()
    assert "已撤回" in text
    assert VisitMonth.objects.get(area_code=TOWN_A).state == "进行中"


def test_the_county_accepts_all_that_is_ticked_and_freezes(
    sign_in: SignIn, lead: User, lead_b: User, chief: User, march: list[Obligation]
) -> None:
    visit_month_submit(month=MARCH, area_code=TOWN_A, actor=lead, note="外出")
    visit_month_submit(month=MARCH, area_code=TOWN_B, actor=lead_b)
    client = sign_in(chief)
    assert "接收勾选的镇（街）" in body(client)
    text = client.post(f"{PAGE}accept/", {"area": [TOWN_A, TOWN_B]}, follow=True).content.decode()
    assert "已接收 2 个镇（街）的月报" in text
    assert "全县已锁定" in text
    assert RateSnapshot.objects.get().taken_by == chief


def test_what_nobody_ticked_is_not_accepted(sign_in: SignIn, chief: User, march: list[Obligation]) -> None:
    text = sign_in(chief).post(f"{PAGE}accept/", follow=True).content.decode()
    assert "没有选择镇（街）" in text


def test_a_township_that_has_not_submitted_is_told_and_the_others_are_accepted(
    sign_in: SignIn, lead: User, chief: User, march: list[Obligation]
) -> None:
    visit_month_submit(month=MARCH, area_code=TOWN_A, actor=lead, note="外出")
    text = sign_in(chief).post(f"{PAGE}accept/", {"area": [TOWN_B, TOWN_A]}, follow=True).content.decode()
    assert "没有接收：" in text
    assert "已接收 1 个镇（街）" in text


def test_the_county_sends_back_with_a_reason_that_the_township_reads(
    sign_in: SignIn, lead: User, chief: User, march: list[Obligation]
) -> None:
    visit_month_submit(month=MARCH, area_code=TOWN_A, actor=lead, note="外出")
    client = sign_in(chief)
    refused = client.post(f"{PAGE}{TOWN_A}/send-back/", {"reason": " "})
    assert (refused.status_code, "请填写退回原因" in refused.content.decode()) == (400, True)
    client.post(f"{PAGE}{TOWN_A}/send-back/", {"phrase": "请先补访未达标的人", "reason": "甲一村"})
    assert "退回：请先补访未达标的人；甲一村" in body(sign_in(lead))


@pytest.mark.parametrize("step", ["submit", "withdraw"])
def test_another_townships_month_is_not_found(
    sign_in: SignIn, lead: User, march: list[Obligation], step: str
) -> None:
    assert sign_in(lead).post(f"{PAGE}{TOWN_B}/{step}/", {"note": "x"}).status_code == 404
    assert sign_in(lead).get(f"{PAGE}?area={TOWN_B}").status_code == 404
    assert not VisitMonth.objects.exists()


@pytest.mark.parametrize("area", ["530301101000", "x", "530322101201", "530322101'00"])
def test_an_area_that_is_no_township_of_the_county_is_not_found(
    sign_in: SignIn, chief: User, march: list[Obligation], area: str
) -> None:
    client = sign_in(chief)
    assert client.post(f"{PAGE}accept/", {"area": [area]}).status_code == 404
    assert client.post(f"{PAGE}{area}/send-back/", {"reason": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "who"),
    [
        (f"{PAGE}{TOWN_A}/submit/", "chief"),
        (f"{PAGE}{TOWN_A}/withdraw/", "chief"),
        (f"{PAGE}accept/", "lead"),
        (f"{PAGE}{TOWN_A}/send-back/", "lead"),
    ],
)
def test_each_step_is_for_its_role_and_by_post(
    sign_in: SignIn, request: pytest.FixtureRequest, path: str, who: str
) -> None:
    assert sign_in(request.getfixturevalue(who)).post(path).status_code == 403
    other = {"chief": "lead", "lead": "chief"}[who]
    assert sign_in(request.getfixturevalue(other)).get(path).status_code == 405


def test_a_reader_sees_the_report_and_no_button(
    sign_in: SignIn, reader_a: User, march: list[Obligation]
) -> None:
    client = sign_in(reader_a)
    text = body(client)
    assert "缺口" in text
    assert "提交：" not in text
    assert client.post(f"{PAGE}{TOWN_A}/submit/").status_code == 403


def test_who_may_not_see_visits_sees_no_report(sign_in: SignIn, county: Area) -> None:
    client = sign_in(make_user("finance", Role.FINANCE, COUNTY))
    for path in (PAGE, "/visits/months/", "/visits/2026-03/snapshot/", "/visits/2026-03/snapshot.json"):
        assert client.get(path).status_code == 403, path


def test_a_month_without_obligations_needs_no_submission(
    sign_in: SignIn, bureau_clerk: User, march: list[Obligation]
) -> None:
    assert "不用提交月报" in body(sign_in(bureau_clerk), "/visits/2026-02/report/")


def test_the_months_are_listed_with_their_progress(
    sign_in: SignIn, bureau_clerk: User, frozen: RateSnapshot
) -> None:
    response = sign_in(bureau_clerk).get("/visits/months/")
    (row,) = response.context["rows"]
    assert (row.month, row.townships, row.submitted, row.accepted) == (MARCH, 2, 2, 2)
    assert (row.figure.met, row.figure.obliged, row.snapshot) == (2, 3, frozen)


def test_the_snapshot_page_computes_the_checksum_anew(
    sign_in: SignIn, bureau_clerk: User, frozen: RateSnapshot
) -> None:
    response = sign_in(bureau_clerk).get("/visits/2026-03/snapshot/")
    text = response.content.decode()
    assert frozen.sha256 in text
    assert "✓ 一致" in text
    assert "66.6%" in text
    assert "✗" not in text


def test_the_downloaded_bytes_have_the_checksum(
    sign_in: SignIn, bureau_clerk: User, frozen: RateSnapshot
) -> None:
    response = sign_in(bureau_clerk).get("/visits/2026-03/snapshot.json")
    assert sha256(response.content).hexdigest() == frozen.sha256


def test_late_visits_leave_the_snapshot_as_it_is(
    sign_in: SignIn, bureau_clerk: User, frozen: RateSnapshot, march: list[Obligation]
) -> None:
    Obligation.objects.filter(pk=march[1].pk).update(late_done=1, late_met=True)
    text = body(sign_in(bureau_clerk), "/visits/2026-03/snapshot/")
    assert "✓ 一致" in text
    assert "2/3" in body(sign_in(bureau_clerk), "/visits/2026-03/rates/")


def test_a_locked_figure_that_was_changed_by_hand_is_found(
    sign_in: SignIn, bureau_clerk: User, frozen: RateSnapshot, march: list[Obligation]
) -> None:
    Obligation.objects.filter(pk=march[1].pk).update(done=1, met=True)
    text = body(sign_in(bureau_clerk), "/visits/2026-03/snapshot/")
    assert "✗ 与已锁定的探访任务不同" in text


def test_there_is_no_snapshot_before_the_last_acceptance(
    sign_in: SignIn, bureau_clerk: User, march: list[Obligation]
) -> None:
    assert sign_in(bureau_clerk).get("/visits/2026-03/snapshot/").status_code == 404


def test_the_report_asks_the_database_little(
    sign_in: SignIn,
    lead: User,
    bureau_clerk: User,
    march: list[Obligation],
    oblige: Oblige,
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(30):
        oblige(f"5303221012{number:02d}")
    for user, budget in ((lead, 26), (bureau_clerk, 16)):
        client = sign_in(user)
        client.get(PAGE)
        with django_assert_max_num_queries(budget):
            client.get(PAGE)
