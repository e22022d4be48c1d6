"""What visits bring to the workbench: to whom, how many, and at once."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from catalog.models import Document, VisitTier
from eldercare.models import Elder
from organization.choices import Role
from organization.models import Area, Assignment, Bureau, User
from portal.queues import Queue
from portal.visit_queues import visit_queues
from subsidies.batch_gate import batch_gate
from subsidies.choices import BatchAction, PaymentState
from subsidies.models import Batch, Month, Payment
from subsidies.refusals import MoneyRefusedError
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn, an_item
from tests.portal.phones import post, sync_body
from tests.portal.test_follow_ups import matter
from tests.registry import make_elder
from tests.visits.phones import record
from visits.choices import FollowUpKind, FollowUpState
from visits.models import CallBack, CallBackDraw, FollowUp, Obligation, Visit, VisitMonth, VisitReturn

SHANGHAI = timezone.get_default_timezone()
NOW = datetime(2026, 4, 10, 12, 0, tzinfo=SHANGHAI)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
Oblige = Callable[..., Obligation]


@pytest.fixture
def cast(county: Area) -> dict[str, User]:
    """One user of each role that has to do with visits."""
    roles = {
        "worker": (Role.VILLAGE_WORKER, VILLAGE_A),
        "clerk": (Role.TOWNSHIP_CLERK, TOWN_A),
        "lead": (Role.TOWNSHIP_LEAD, TOWN_A),
        "lead_b": (Role.TOWNSHIP_LEAD, TOWN_B),
        "county": (Role.BUREAU_CLERK, COUNTY),
        "chief": (Role.BUREAU_CHIEF, COUNTY),
        "finance": (Role.FINANCE, COUNTY),
        "supervisor": (Role.SUPERVISOR, COUNTY),
    }
    return {name: make_user(f"v_{name}", role, area) for name, (role, area) in roles.items()}


@pytest.fixture
def oblige(county: Area) -> Oblige:
    """Make an obligation of April, or of another month."""
    document = Document.objects.create(code="v", title="测试清单", issued=date(2020, 1, 1), area_id=COUNTY)
    tier = VisitTier.objects.create(
        document=document,
        code="m",
        name="每月",
        rule="独居",
        times=1,
        per="月",
        modes=["上门"],
        order=1,
        valid=DateRange(date(2020, 1, 1), None),
    )

    def make(village: str = VILLAGE_A, month: date = APRIL, **more: Any) -> Obligation:
        elder = make_elder(date(1942, 5, 17), hukou=village)
        return Obligation.objects.create(
            month=month, county_code=COUNTY, elder=elder, tier=tier, area_code=village, due=1, **more
        )

    return make


def shown(user: User, now: datetime = NOW) -> dict[str, Queue]:
    """Label → queue."""
    return {queue.label: queue for queue in visit_queues(User.objects.get(pk=user.pk), now)}


@pytest.mark.parametrize(
    ("kind", "result", "label", "whose"),
    [
        (FollowUpKind.DEATH, "已故", "报告去世待核实", {"clerk", "county"}),
        (FollowUpKind.MOVED_OUT, "已迁出", "报告迁出、入机构待核实", {"clerk", "county"}),
        (FollowUpKind.HOME_VISIT, "未联系上", "未联系上待上门核实", {"worker", "clerk", "lead"}),
        (FollowUpKind.RED_RISK, "见到本人", "红色风险待复访", {"worker", "clerk", "lead"}),
    ],
)
def test_each_kind_waits_for_whom_it_is_for(
    cast: dict[str, User], kind: str, result: str, label: str, whose: set[str]
) -> None:
    matter(kind, result=result)
    found = {name for name, user in cast.items() if label in shown(user, timezone.now())}
    assert found == whose


def test_a_referral_waits_for_its_bureau_and_without_anybody_there_for_the_county(
    cast: dict[str, User],
) -> None:
    bureau = Bureau.objects.create(area_id=COUNTY, code="cl", name="县残联")
    matter(bureau=bureau)
    label, now = "跟进转介未办结", timezone.now()
    assert [label in shown(cast[name], now) for name in ("county", "clerk")] == [True, False]
    officer = User.objects.create_user("officer", password="Sunny-Hills-2026")
    Assignment.objects.create(user=officer, role=Role.DEPARTMENT, area_id=COUNTY, bureau=bureau)
    assert [label in shown(user, now) for user in (officer, cast["county"])] == [True, False]


def test_the_county_is_told_of_what_is_red_and_of_what_is_late_elsewhere(cast: dict[str, User]) -> None:
    matter(FollowUpKind.RED_RISK, risk="红")
    matter(FollowUpKind.HOME_VISIT, hours=-1)
    found = shown(cast["county"], timezone.now())
    red, late = found["红色风险未办结"], found["跟进事项逾期未办结"]
    assert (red.count, late.count, late.tone, red.decides or late.decides) == (1, 1, "danger", False)


def test_what_is_overdue_is_told_in_the_danger_tone(cast: dict[str, User]) -> None:
    matter(FollowUpKind.HOME_VISIT, hours=-1)
    matter(FollowUpKind.HOME_VISIT, hours=1)
    matter(FollowUpKind.HOME_VISIT, hours=-9, state=FollowUpState.DONE, closed_at=timezone.now())
    found = shown(cast["worker"], timezone.now())
    late = found["跟进事项已过时限"]
    assert (late.count, late.tone, late.decides, found["未联系上待上门核实"].count) == (1, "danger", False, 2)
    assert late.url == "/follow-ups/?mine=1&due=overdue"


def test_the_unvisited_are_counted_with_the_days_left(cast: dict[str, User], oblige: Oblige) -> None:
    oblige()
    oblige(met=True, done=1)
    oblige(exempt_from=date(2026, 4, 2), exempt_reason="死亡")
    oblige(VILLAGE_B)
    oblige(month=MARCH)
    lead = shown(cast["lead"])["本月待探访"]
    assert (lead.count, lead.hint, lead.url) == (1, "本月应访 2 人，还有 21 天", "/visits/2026-04/people/")
    assert shown(cast["county"])["本月待探访"].count == 2
    assert "本月待探访" not in shown(cast["finance"]) and "本月待探访" not in shown(cast["supervisor"])


@pytest.mark.parametrize(
    ("day", "tone", "hint"),
    [
        (23, "", "还有 8 天"),
        (24, "attention", "还有 7 天"),
        (29, "attention", "还有 2 天"),
        (30, "attention", "今天是最后一天"),
    ],
)
def test_the_last_week_of_the_month_presses(
    cast: dict[str, User], oblige: Oblige, day: int, tone: str, hint: str
) -> None:
    oblige()
    found = shown(cast["lead"], NOW.replace(day=day))["本月待探访"]
    assert found.tone == tone and found.hint.endswith(hint)


def test_a_township_has_last_month_to_submit_until_it_has(cast: dict[str, User], oblige: Oblige) -> None:
    oblige(month=MARCH)
    oblige(VILLAGE_B, month=MARCH)
    label = "探访月报待提交"
    assert [label in shown(cast[name]) for name in ("lead", "lead_b", "county")] == [True, True, False]
    assert shown(cast["lead"])[label].url == "/visits/2026-03/report/"
    row = VisitMonth.objects.create(month=MARCH, county_code=COUNTY, area_code=TOWN_A, state="已提交")
    assert [label in shown(cast[name]) for name in ("lead", "lead_b")] == [False, True]
    assert shown(cast["county"])["探访月报待接收"].count == 1
    VisitMonth.objects.filter(pk=row.pk).update(state="已接收")
    assert "探访月报待接收" not in shown(cast["county"])


def test_nothing_is_to_be_submitted_before_the_month_is_over(cast: dict[str, User], oblige: Oblige) -> None:
    oblige(month=MARCH)
    last = datetime(2026, 3, 31, 23, 59, tzinfo=SHANGHAI)
    assert "探访月报待提交" not in shown(cast["lead"], last)
    assert "探访月报待提交" in shown(cast["lead"], last + timedelta(minutes=1))


def test_drawn_visits_wait_to_be_called_back(cast: dict[str, User], elder_a: Elder) -> None:
    draw = CallBackDraw.objects.create(
        month=MARCH, area_code=TOWN_A, seed="1", population=20, drawn=1, drawn_by=cast["lead"]
    )
    event = Visit.objects.create(
        id=uuid4(), elder=elder_a, at=NOW, mode="上门", result="见到本人", visitor="协管员一"
    )
    call = CallBack.objects.create(draw=draw, visit=event)
    label = "探访回访待拨打"
    assert [label in shown(cast[name]) for name in ("lead", "lead_b", "county")] == [True, False, True]
    CallBack.objects.filter(pk=call.pk).update(result="属实")
    assert label not in shown(cast["lead"])


def test_a_returned_record_waits_for_its_recorder_until_it_is_corrected(
    cast: dict[str, User], elder_a: Elder
) -> None:
    fields = {"elder": elder_a, "mode": "上门", "result": "见到本人", "visitor": "协管员一"}
    event = Visit.objects.create(id=uuid4(), at=NOW, recorder=cast["worker"], **fields)
    VisitReturn.objects.create(visit=event, reason="没有去", by=cast["lead"])
    label = "探访记录被退回"
    assert [label in shown(cast[name]) for name in ("worker", "clerk")] == [True, False]
    Visit.objects.create(id=uuid4(), at=NOW, corrects=event.pk, recorder=cast["worker"], **fields)
    assert label not in shown(cast["worker"])


@pytest.mark.parametrize("name", ["worker", "clerk", "lead", "county", "chief", "finance"])
def test_six_queries_at_most_for_any_role(
    cast: dict[str, User], oblige: Oblige, django_assert_max_num_queries: Any, name: str
) -> None:
    for _ in range(3):
        oblige()
        oblige(month=MARCH)
        matter(FollowUpKind.HOME_VISIT)
    user = User.objects.get(pk=cast[name].pk)
    assert user.active_assignments
    with django_assert_max_num_queries(6):
        visit_queues(user, NOW)


def test_a_death_told_on_the_phone_is_the_clerks_to_do_at_once_and_holds_the_money(
    sign_in: SignIn, cast: dict[str, User], elder_a: Elder, draft: Batch
) -> None:
    batch_gate(batch=draft, action=BatchAction.APPROVE)
    told = record(elder_a, cast["worker"], timezone.now() - timedelta(minutes=1), result="已故")
    told["event_day"] = f"{timezone.localdate() - timedelta(days=1)}"
    status, answer = post(sign_in(cast["worker"]), "/m/sync/", sync_body(told))
    assert (status, answer["results"][0]["state"]) == (200, "stored")
    page = sign_in(cast["clerk"]).get("/")
    assert "报告去世待核实" in page.content.decode()
    row = FollowUp.objects.get(kind=FollowUpKind.DEATH)
    assert row.created_at - row.visit.recorded_at < timedelta(minutes=1)
    with pytest.raises(MoneyRefusedError, match="有 1 行的老年人由探访报告去世或迁出，还没有核实"):
        batch_gate(batch=draft, action=BatchAction.APPROVE)


@pytest.fixture
def draft(month: Month, elder_a: Elder, elder_b: Elder, cast: dict[str, User]) -> Batch:
    """A batch that pays both elders of March."""
    batch = Batch.objects.create(
        number="530322-202603-01",
        county_code=COUNTY,
        month=month,
        kind="发放",
        state="县局审批",
        revision=1,
        made_by=cast["county"],
    )
    for number, elder in enumerate((elder_a, elder_b), start=1):
        Payment.objects.create(
            batch=batch,
            number=number,
            elder=elder,
            item=an_item("A1"),
            month=MARCH,
            kind="正常",
            sequence=1,
            amount=50,
            area_code=elder.hukou_code,
            holder=elder.name,
            account_cipher=b"x",
            account_index=b"x",
            state=PaymentState.PENDING,
        )
    return batch


def test_a_worker_sees_the_way_to_the_phone_and_the_county_does_not(
    sign_in: SignIn, cast: dict[str, User]
) -> None:
    assert 'href="/m/"' in sign_in(cast["worker"]).get("/").content.decode()
    assert 'href="/m/"' not in sign_in(cast["county"]).get("/").content.decode()


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("worker", {"探访", "跟进"}),
        ("supervisor", {"探访"}),
        ("finance", set()),
    ],
)
def test_the_menu_leads_to_visits_and_follow_ups_for_whom_they_are(
    sign_in: SignIn, cast: dict[str, User], name: str, labels: set[str]
) -> None:
    menu = {entry.label for entry in sign_in(cast[name]).get("/").context["shell"].menu}
    assert menu & {"探访", "跟进"} == labels


def test_under_visits_the_menu_opens_its_pages_and_marks_this_one(
    sign_in: SignIn, cast: dict[str, User]
) -> None:
    client = sign_in(cast["lead"])
    home = client.get("/visits/")
    assert home["Location"] == f"/visits/{timezone.localdate():%Y-%m}/people/"
    shell = client.get("/visits/2026-03/people/").context["shell"]
    (entry,) = [entry for entry in shell.menu if entry.label == "探访"]
    assert entry.current and [each.label for each in entry.below if each.current] == ["探访名单"]
    assert client.get("/follow-ups/").context["shell"].menu[0].below == ()


@pytest.mark.parametrize("name", ["worker", "clerk", "lead", "county"])
def test_every_figure_of_follow_ups_opens_the_list_that_it_counts(
    sign_in: SignIn, cast: dict[str, User], name: str
) -> None:
    bureau = Bureau.objects.create(area_id=COUNTY, code="cl", name="县残联")
    for hours in (-30, 5):
        matter(FollowUpKind.HOME_VISIT, hours=hours)
        matter(FollowUpKind.RED_RISK, risk="红", hours=hours)
        matter(FollowUpKind.DEATH, result="已故", hours=hours)
        matter(bureau=bureau, risk="红", hours=hours)
        matter(risk="黄", hours=hours)
    client = sign_in(cast[name])
    queues = visit_queues(User.objects.get(pk=cast[name].pk), timezone.now())
    assert len(queues) > 3
    for queue in queues:
        assert client.get(queue.url).context["figures"].total == queue.count, queue.label
