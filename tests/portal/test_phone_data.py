"""What a phone is given: the user's own people, most urgent first, and nothing that it must not hold."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Document, FindingKind
from eldercare.models import Contact, Elder
from operations.crypto import encrypt
from operations.models import Todo
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.portal.conftest import SignIn
from tests.registry import make_elder
from tests.visits.conftest import (
    ALWAYS,
    COUNTY,
    SHANGHAI,
    TOWN_A,
    VILLAGE_A1,
    VILLAGE_A2,
    VILLAGE_B1,
    TierMaker,
    visit,
)
from tests.visits.conftest import county as county  # the county with tiers, not the portal's
from tests.visits.conftest import tier as tier
from visits.models import FollowUp, Obligation, VisitReturn
from visits.phone_list import PEOPLE, phone_data
from visits.phone_ref import read_ref

MARCH, FEBRUARY = date(2026, 3, 1), date(2026, 2, 1)
NOW = datetime(2026, 3, 20, 12, 0, tzinfo=SHANGHAI)  # Friday

Oblige = Callable[..., Elder]


@pytest.fixture
def worker(county: Document) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)


@pytest.fixture
def oblige(tier: TierMaker) -> Iterator[Oblige]:
    """Make an elder obliged in a month, by default once in March, in 甲一村."""
    monthly = tier()

    def make(name: str, *, month: date = MARCH, village: str = VILLAGE_A1, **more: Any) -> Elder:
        elder = make_elder(date(1940, 1, 1), hukou=village, name=name)
        values = {"tier": monthly, "due": 1, "area_code": village} | more
        Obligation.objects.create(month=month, county_code=COUNTY, elder=elder, **values)
        return elder

    yield make


def listed(user: User, now: datetime = NOW) -> list[dict[str, Any]]:
    """The people on the user's phone."""
    return list(phone_data(user=User.objects.get(pk=user.pk), now=now)["people"])


def names(user: User, now: datetime = NOW) -> list[str]:
    """Their names."""
    return [person["name"] for person in listed(user, now)]


def test_the_list_is_of_who_is_assigned_and_of_nobodys_in_the_village(worker: User, oblige: Oblige) -> None:
    other = make_user("other", Role.VILLAGE_WORKER, VILLAGE_A1)
    people: dict[str, dict[str, Any]] = {
        "甲无人": {},
        "乙本人": {"assignee": worker},
        "丙邻村": {"assignee": worker, "village": VILLAGE_A2},
        "丁他人": {"assignee": other},
        "戊邻村无人": {"village": VILLAGE_A2},
        "己免访": {"exempt_from": MARCH, "exempt_reason": "死亡"},
        "庚四月": {"month": date(2026, 4, 1)},
    }
    for name, more in people.items():
        oblige(name, **more)
    assert sorted(names(worker)) == ["丙邻村", "乙本人", "甲无人"]


def test_overdue_come_first_then_by_day_village_and_name_and_who_is_met_last(
    worker: User, oblige: Oblige, tier: TierMaker
) -> None:
    weekly = tier("week", per="周", order=1)
    met = oblige("甲已访", done=1, met=True)
    visit(met, "2026-03-02")
    behind = oblige("乙上月未访")
    Obligation.objects.create(
        month=FEBRUARY, county_code=COUNTY, elder=behind, tier=weekly, due=1, area_code=VILLAGE_A1
    )
    oblige("丙逾期", tier=weekly, due=5)
    oblige("戊月底")
    oblige("丁月底")
    oblige("己邻村", assignee=worker, village=VILLAGE_A2)
    order = [(person["name"], str(person["state"])) for person in listed(worker)]
    assert order == [
        ("丙逾期", "逾期"),
        ("乙上月未访", "逾期"),
        ("丁月底", "待访"),
        ("戊月底", "待访"),
        ("己邻村", "待访"),
        ("甲已访", "已达标"),
    ]


def test_who_must_be_seen_today_stands_above_all(worker: User, oblige: Oblige, tier: TierMaker) -> None:
    oblige("甲逾期", tier=tier("week", per="周", order=1), due=5)
    elder = oblige("乙两次未联系上")
    FollowUp.objects.create(
        kind="上门核实",
        elder=elder,
        visit=visit(elder, "2026-03-19", "电话", "未联系上"),
        area_code=VILLAGE_A1,
        title="两次未联系上",
        due_at=NOW,
    )
    first, second = listed(worker)
    assert (first["name"], first["must"]) == ("乙两次未联系上", "两次未联系上，请当日上门")
    assert (second["name"], second["must"]) == ("甲逾期", "")


@pytest.mark.parametrize(
    ("kind", "result", "words"),
    [
        ("死亡核实", "已故", "已报去世，待核实"),
        ("迁出核实", "已迁出", "已报迁出，待核实"),
        ("迁出核实", "入机构", "已报入住机构，待核实"),
    ],
)
def test_who_was_reported_gone_stands_apart_at_the_end_until_somebody_has_checked_it(
    worker: User, oblige: Oblige, kind: str, result: str, words: str
) -> None:
    gone, met = oblige("甲"), oblige("乙", done=1, met=True)
    visit(met, "2026-03-05")
    report = follow_up(gone, kind, result)
    first, second = listed(worker)
    assert (first["name"], first["must"], first["reported"]) == ("乙", "", False)
    assert (second["name"], second["must"], second["reported"]) == ("甲", words, True)
    assert second["state"] == "待访"
    report.state, report.closed_at = "不需办理", NOW
    report.save()
    assert [(row["name"], row["must"], row["reported"]) for row in listed(worker)] == [
        ("甲", "", False),
        ("乙", "", False),
    ]


def test_who_is_in_danger_after_a_report_is_to_be_seen_all_the_same(worker: User, oblige: Oblige) -> None:
    elder = oblige("甲")
    follow_up(elder, "死亡核实", "已故")
    follow_up(elder, "风险复访", "联系到本人")
    [person] = listed(worker)
    assert (person["must"], person["reported"]) == ("红色风险，请 24 小时内复访", False)


def follow_up(elder: Elder, kind: str, result: str) -> FollowUp:
    """An open matter that a call left."""
    said = visit(elder, "2026-03-19", "电话", result)
    return FollowUp.objects.create(
        kind=kind, elder=elder, visit=said, area_code=VILLAGE_A1, title=kind, due_at=NOW
    )


def test_a_person_carries_what_a_visit_needs(worker: User, oblige: Oblige, tier: TierMaker) -> None:
    home = tier("home", in_person=1, modes=["上门", "电话"], order=1)
    elder = oblige("赵春梅", tier=home)
    address = "测试县甲镇甲一村民委员会第三村民小组" + "长" * 20 + "水井旁 12 号 13812345678"
    Elder.objects.filter(pk=elder.pk).update(address=address, phone_cipher=encrypt("13812345678"))
    visit(elder, "2026-03-05", "电话", "联系到本人")
    [person] = listed(worker)
    meant = read_ref(person.pop("ref"), worker)
    assert meant is not None
    assert meant.pk == elder.pk
    assert person.pop("door").endswith("水井旁 12 号")
    assert person == {
        "name": "赵春梅",
        "village": "甲一村",
        "tier": "home",
        "due": date(2026, 3, 31),
        "state": "待访",
        "modes": ["上门", "电话"],
        "home_only": True,
        "must": "",
        "reported": False,
        "last": {"result": "联系到本人", "mode": "电话", "on": date(2026, 3, 5)},
        "phone": "138****5678",
    }


def test_without_a_number_the_contacts_is_shown_masked(worker: User, oblige: Oblige) -> None:
    Contact.objects.create(elder=oblige("甲"), name="女儿", phone_cipher=encrypt("13900001111"))
    assert [person["phone"] for person in listed(worker)] == ["139****1111"]


@pytest.mark.parametrize(
    ("address", "door"),
    [
        ("三组 5 号 13812345678", "三组 5 号"),
        ("三组 5 号 138 1234 5678", "三组 5 号"),
        ("三组 5 号（0874-6221234）", "三组 5 号（）"),
        ("三组 5 号 6221234", "三组 5 号"),
        ("三组 5 号 53032219400101123X", "三组 5 号"),
        ("东关小区 3-12-1-502 室", "东关小区 3-12-1-502 室"),
    ],
)
def test_a_number_typed_into_an_address_stays_away_and_a_door_does_not(
    worker: User, oblige: Oblige, address: str, door: str
) -> None:
    Elder.objects.filter(pk=oblige("甲").pk).update(address=address)
    assert [person["door"] for person in listed(worker)] == [door]


def test_a_door_is_at_most_thirty_characters(worker: User, oblige: Oblige) -> None:
    Elder.objects.filter(pk=oblige("甲").pk).update(address="路" * 100)
    assert [len(person["door"]) for person in listed(worker)] == [30]


def test_before_the_month_is_opened_last_months_people_stay_and_the_phone_says_so(
    worker: User, oblige: Oblige
) -> None:
    oblige("甲", month=FEBRUARY, met=True, done=1)
    data = phone_data(user=worker, now=NOW)
    assert [person["name"] for person in data["people"]] == ["甲"]
    assert data["month"] == "2026-03"
    assert data["figures"] == {"obliged": 0, "met": 0, "exempt": 0, "returned": 0}
    assert data["notices"] == ["本月探访任务还没有下达，名单按上月，记录照常登记"]


def test_an_opened_month_in_which_nobody_is_left_shows_nobody(worker: User, oblige: Oblige) -> None:
    oblige("甲", month=FEBRUARY)
    oblige("乙", village=VILLAGE_B1)
    assert phone_data(user=worker, now=NOW)["people"] == []


def test_the_figures_are_the_servers(worker: User, oblige: Oblige) -> None:
    oblige("甲", met=True, done=1)
    oblige("乙")
    oblige("丙", exempt_from=MARCH, exempt_reason="迁出")
    elder = oblige("丁", village=VILLAGE_B1)
    back = visit(elder, "2026-03-05", recorder=worker)
    lead = make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)
    VisitReturn.objects.create(visit=back, reason="请补照片", by=lead)
    data = phone_data(user=worker, now=NOW)
    assert data["figures"] == {"obliged": 2, "met": 1, "exempt": 1, "returned": 1}
    [returned] = data["returned"]
    assert (returned["id"], returned["name"], returned["reason"]) == (back.pk, "丁", "请补照片")
    visit(elder, "2026-03-05", corrects=back.pk, recorder=worker)
    data = phone_data(user=worker, now=NOW)
    assert (data["figures"]["returned"], data["returned"]) == (0, [])


def test_above_five_hundred_the_most_urgent_are_given_and_the_phone_says_so(
    worker: User, tier: TierMaker
) -> None:
    monthly = tier()
    elders = [make_elder(date(1940, 1, 1), hukou=VILLAGE_A1) for _ in range(PEOPLE + 1)]
    Obligation.objects.bulk_create(
        Obligation(month=MARCH, county_code=COUNTY, elder=elder, tier=monthly, due=1, area_code=VILLAGE_A1)
        for elder in elders
    )
    data = phone_data(user=worker, now=NOW)
    assert len(data["people"]) == PEOPLE
    assert data["figures"]["obliged"] == PEOPLE + 1
    assert data["notices"] == ["名单超过 500 人，只显示最急的 500 人；请镇（街）经办人分配探访任务"]


def test_the_words_for_findings_are_those_in_force(worker: User, county: Document, oblige: Oblige) -> None:
    for code, valid in (("fall", ALWAYS), ("damp", (date(2020, 1, 1), date(2026, 3, 20)))):
        FindingKind.objects.create(
            document=county, code=code, name=code, group="健康", risk="红", hours=24, order=1, valid=valid
        )
    found = phone_data(user=worker, now=NOW)["findings"]
    assert found == [{"code": "fall", "group": "健康", "name": "fall", "risk": "红"}]


def test_the_list_is_read_in_as_many_statements_for_forty_as_for_four(worker: User, oblige: Oblige) -> None:
    counts = []
    for number in (4, 40):
        for _ in range(number):
            visit(oblige("甲"), "2026-03-05")
        user = User.objects.get(pk=worker.pk)
        with CaptureQueriesContext(connection) as queries:
            phone_data(user=user, now=NOW)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20


def test_the_answer_holds_no_number_and_no_finding_of_anybody(
    sign_in: SignIn, worker: User, oblige: Oblige
) -> None:
    today = timezone.localdate()
    elder = oblige("甲", month=today.replace(day=1))
    Elder.objects.filter(pk=elder.pk).update(
        address="三组 5 号 13812345678 身份证530322194001011234 卡6228480402564890018",
        phone_cipher=encrypt("13812345678"),
        note="高血压三级",
    )
    lately = visit(elder, f"{today - timedelta(days=1)}", note="血糖高")
    lately.findings.create(code="x", name="跌倒骨折", group="健康", risk="红", note="住过院")
    response = sign_in(worker).get("/m/data/")
    text = response.content.decode("unicode_escape")
    assert response.status_code == 200
    assert "甲" in response.json()["people"][0]["name"]
    keys = re.compile(r'"(ref|key|csrf|id|server_time)": "[^"]*"')
    assert re.findall(r"\d{6,}", keys.sub("", response.content.decode())) == []
    for secret in ("血糖高", "高血压", "骨折", "住过院", elder.id_number, elder.id_last4, worker.username):
        assert secret not in text
    assert response.headers["Cache-Control"] == "no-store"


def test_the_users_key_is_one_per_user_and_tells_nothing(worker: User) -> None:
    other = make_user("other", Role.VILLAGE_WORKER, VILLAGE_A1)
    keys = [phone_data(user=user, now=NOW)["user"]["key"] for user in (worker, other, worker)]
    assert keys[0] == keys[2] != keys[1]
    assert re.fullmatch(r"[0-9a-f]{32}", keys[0])


def test_a_worker_is_told_of_being_urged(worker: User, oblige: Oblige) -> None:
    month = timezone.localdate().replace(day=1)
    oblige("甲", month=month)
    Todo.objects.create(
        key=f"visit_urge:{month:%Y-%m}:{uuid4()}",
        role=Role.VILLAGE_WORKER,
        area_id=VILLAGE_A1,
        title="催办",
        due=month.replace(day=28),
    )
    (told,) = phone_data(user=worker, now=timezone.now())["notices"]
    assert told == f"催办：{month.month}月探访 1 人未达标，请在{month.month}月28日前完成"
