"""Applications on pages: the queue, one application, bulk steps, 漏享, and enrolments on the record."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from subsidies.choices import Channel
from subsidies.models import Application, Enrolment, Month
from subsidies.services.application import application_approve, application_check, application_make
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn, an_item, decide
from tests.registry import make_elder

LIST = "/applications/"
NEW = "/applications/new/"
MISSED = "/months/2026-03/missed/"


@pytest.fixture
def lead_a(month: Month) -> User:
    """Lead of 甲镇."""
    return make_user("lead_a", Role.TOWNSHIP_LEAD, TOWN_A)


@pytest.fixture
def chief(month: Month) -> User:
    """Chief of the county's bureau."""
    return make_user("chief", Role.BUREAU_CHIEF, COUNTY)


@pytest.fixture
def application(month: Month, elder_a: Elder, clerk_a: User) -> Application:
    """elder_a applies for A2 through the clerk of 甲镇."""
    return apply(elder_a, clerk_a)


def apply(elder: Elder, actor: User) -> Application:
    """An application for A2."""
    return application_make(elder=elder, item=an_item("A2"), channel=Channel.SELF, actor=actor).application


def state_of(application: Application) -> str:
    """What stands in the database."""
    return Application.objects.get(pk=application.pk).state


def names(client: Client, query: str = "") -> list[str]:
    """Elders of the applications on the page."""
    return [row.application.elder.name for row in client.get(LIST + query).context["rows"]]


def missed_names(client: Client, query: str = "") -> list[str]:
    """Elders of the missed lines on the page."""
    return [line.elder.name for line, _ in client.get(MISSED + query).context["rows"]]


def test_the_lead_sees_first_what_waits_for_him(
    sign_in: SignIn, lead_a: User, application: Application
) -> None:
    context = sign_in(lead_a).get(LIST).context
    assert (context["view"], [row.clean for row in context["rows"]]) == ("mine", [True])


def test_the_clerk_sees_what_is_in_hand(
    sign_in: SignIn, clerk_a: User, clerk_b: User, application: Application
) -> None:
    assert names(sign_in(clerk_a)) == ["赵春梅"]
    assert names(sign_in(clerk_b)) == []


@pytest.mark.parametrize("view", ["mine", "open", "over", "all"])
def test_each_view_is_as_long_as_it_says(
    sign_in: SignIn, lead_a: User, clerk_a: User, application: Application, view: str
) -> None:
    make_elder(date(1940, 1, 1), name="另一", hukou=VILLAGE_A)
    Application.objects.filter(pk=apply(Elder.objects.get(name="另一"), clerk_a).pk).update(state="已撤回")
    context = sign_in(lead_a).get(f"{LIST}?view={view}").context
    said = {slug: number for slug, _, number in context["views"]}
    assert len(context["rows"]) == context["page"].paginator.count == said[view]


def test_an_applicant_whom_the_newest_month_does_not_entitle_is_set_apart(
    sign_in: SignIn, lead_a: User, clerk_a: User, application: Application
) -> None:
    apply(make_elder(date(1940, 1, 1), name="不符合", hukou=VILLAGE_A), clerk_a)
    rows = sign_in(lead_a).get(LIST).context["rows"]
    assert [(row.application.elder.name, row.clean) for row in rows] == [("赵春梅", True), ("不符合", False)]


def test_many_are_checked_at_once_and_each_refusal_is_named(
    sign_in: SignIn, lead_a: User, clerk_a: User, application: Application
) -> None:
    own = apply(make_elder(date(1940, 1, 1), name="自己登记", hukou=VILLAGE_A), clerk_a)
    Application.objects.filter(pk=own.pk).update(made_by=lead_a)
    response = sign_in(lead_a).post(f"{LIST}check/", {"application": [application.pk, own.pk]}, follow=True)
    text = response.content.decode()
    assert "已审核通过 1 件" in text
    assert "自己登记：经办人和审核人不能是同一人" in text
    assert (state_of(application), state_of(own)) == ("待审批", "待审核")


def test_nothing_ticked_is_said_so(sign_in: SignIn, lead_a: User) -> None:
    assert "没有选中申请" in sign_in(lead_a).post(f"{LIST}check/", follow=True).content.decode()


def test_the_chief_approves_many(
    sign_in: SignIn, lead_a: User, chief: User, application: Application
) -> None:
    application_check(application_id=application.pk, actor=lead_a)
    sign_in(chief).post(f"{LIST}approve/", {"application": [application.pk]})
    assert state_of(application) == "已批准"


def test_three_persons_take_an_application_from_hand_in_to_enrolment(
    sign_in: SignIn, clerk_a: User, lead_a: User, chief: User, elder_a: Elder
) -> None:
    typed = {
        "elder": elder_a.pk,
        "item": an_item("A2").pk,
        "channel": "代办",
        "agent_name": "钱小女",
        "agent_relation": "子女",
        "applied_on": f"{timezone.localdate():%Y-%m-%d}",
    }
    sign_in(clerk_a).post(NEW, typed)
    made = Application.objects.get()
    page = f"{LIST}{made.pk}/"
    assert "钱小女（子女）" in sign_in(clerk_a).get(page).content.decode()
    sign_in(lead_a).post(f"{page}check/", {"note": "入户看过"})
    assert "入户看过" in sign_in(chief).get(page).content.decode()
    sign_in(chief).post(f"{page}approve/", {"first_month": ""})
    assert Enrolment.objects.get(elder=elder_a).state == "享受中"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("item", "", "请选择申请的项目"),
        ("item", "999999", "请选择列出的项目"),
        ("channel", "托人", "请选择列出的申请来源"),
        ("channel", "代办", "代办人姓名和与本人的关系"),
        ("applied_on", "昨天", "2026-11-01 的样子"),
        ("applied_on", "2199-01-01", "晚于今天"),
    ],
)
def test_a_faulty_application_is_refused_and_keeps_what_was_typed(
    sign_in: SignIn, clerk_a: User, month: Month, elder_a: Elder, field: str, value: str, said: str
) -> None:
    typed = {
        "elder": elder_a.pk,
        "item": an_item("A2").pk,
        "channel": "本人",
        "applied_on": "2026-01-05",
        "note": "留住这句话",
    }
    text = sign_in(clerk_a).post(NEW, typed | {field: value}).content.decode()
    assert said in text
    assert "留住这句话" in text
    assert not Application.objects.exists()


def test_who_is_not_entitled_may_apply_and_the_page_warns(
    sign_in: SignIn, clerk_b: User, month: Month, elder_b: Elder
) -> None:
    typed = {"elder": elder_b.pk, "item": an_item("A2").pk, "channel": "本人", "applied_on": "2026-01-05"}
    text = sign_in(clerk_b).post(NEW, typed, follow=True).content.decode()
    assert "最近一次核定他还不符合条件" in text


def test_only_elders_of_the_own_area_are_applied_for(
    sign_in: SignIn, clerk_b: User, month: Month, elder_a: Elder
) -> None:
    client = sign_in(clerk_b)
    assert client.get(f"{NEW}?elder={elder_a.pk}").status_code == 404
    assert client.post(NEW, {"elder": elder_a.pk}).status_code == 404


def test_without_an_elder_the_way_to_one_is_shown(sign_in: SignIn, clerk_a: User, month: Month) -> None:
    assert "请先查到老年人" in sign_in(clerk_a).get(NEW, follow=True).content.decode()


def test_the_reasons_of_the_item_are_shown(sign_in: SignIn, lead_a: User, application: Application) -> None:
    text = sign_in(lead_a).get(f"{LIST}{application.pk}/reasons/").content.decode()
    assert "低保" in text
    assert "未申请" in text


def test_a_refusal_needs_a_reason_and_keeps_the_page(
    sign_in: SignIn, lead_a: User, application: Application
) -> None:
    client = sign_in(lead_a)
    assert "请写明理由" in client.post(f"{LIST}{application.pk}/refuse/").content.decode()
    client.post(f"{LIST}{application.pk}/refuse/", {"phrase": "资料不全", "reason": "缺户口簿"})
    done = Application.objects.get(pk=application.pk)
    assert (done.state, done.refusal) == ("不予批准", "资料不全；缺户口簿")


def test_the_clerk_withdraws(sign_in: SignIn, clerk_a: User, application: Application) -> None:
    sign_in(clerk_a).post(f"{LIST}{application.pk}/withdraw/", {"phrase": "本人要求撤回"})
    assert state_of(application) == "已撤回"


def test_who_must_not_take_a_step_is_told_why(
    sign_in: SignIn, chief: User, lead_a: User, application: Application
) -> None:
    text = sign_in(chief).post(f"{LIST}{application.pk}/approve/").content.decode()
    assert "没有办理" in text
    assert state_of(application) == "待审核"


@pytest.mark.parametrize("month_typed", ["2026-13", "明年"])
def test_an_odd_first_month_is_refused(
    sign_in: SignIn, lead_a: User, chief: User, application: Application, month_typed: str
) -> None:
    application_check(application_id=application.pk, actor=lead_a)
    text = (
        sign_in(chief).post(f"{LIST}{application.pk}/approve/", {"first_month": month_typed}).content.decode()
    )
    assert "2026-11 的样子" in text
    assert state_of(application) == "待审批"


def test_the_ladder_of_applications(
    sign_in: SignIn, application: Application, system_admin: User, clerk_b: User, clerk_a: User, lead_a: User
) -> None:
    page = f"{LIST}{application.pk}/"
    for url in (LIST, page, f"{page}reasons/"):
        assert sign_in(system_admin).get(url).status_code == 403, url
        assert sign_in(lead_a).post(url).status_code == 405, url
    for url in (page, f"{page}reasons/"):
        assert sign_in(clerk_b).get(url).status_code == 404, url
    for step in ("check/", "approve/"):
        assert sign_in(clerk_a).post(page + step).status_code == 403, step
        assert sign_in(clerk_a).post(LIST + step).status_code == 403, step
    for step in ("refuse/", "withdraw/"):
        assert sign_in(clerk_b).post(page + step, {"reason": "不应办理"}).status_code == 404, step
        assert sign_in(lead_a).get(page + step).status_code == 405 or step == "withdraw/"
    assert sign_in(lead_a).post(f"{page}withdraw/").status_code == 403
    assert sign_in(lead_a).post(NEW).status_code == 403
    assert state_of(application) == "待审核"


def test_the_menu_offers_applications_to_who_has_to_do_with_them(
    sign_in: SignIn, lead_a: User, reader_a: User
) -> None:
    for user, offered in ((lead_a, True), (reader_a, False)):
        menu = [entry.label for entry in sign_in(user).get("/").context["shell"].menu]
        assert ("申请" in menu) is offered


def test_the_missed_are_counted_by_township_and_item(
    sign_in: SignIn, bureau_clerk: User, month: Month, elder_b: Elder
) -> None:
    decide(month, elder_b, "A2", "未申请", VILLAGE_B, "100.00")
    client = sign_in(bureau_clerk)
    context = client.get(MISSED).context
    assert [(row.name, row.persons) for row in context["townships"]] == [("甲镇", 1), ("乙镇", 1)]
    assert missed_names(client) == ["赵春梅", "钱乙福"]
    assert missed_names(client, f"?area={TOWN_B}") == ["钱乙福"]
    assert missed_names(client, f"?item={an_item('A1').pk}") == []


def test_one_click_starts_an_application_and_takes_the_line_off(
    sign_in: SignIn, clerk_a: User, month: Month, elder_a: Elder
) -> None:
    client = sign_in(clerk_a)
    pair = f"{elder_a.pk}:{an_item('A2').pk}"
    text = client.post(f"{MISSED}apply/", {"only": pair}, follow=True).content.decode()
    assert "已发起申请 1 件" in text
    assert missed_names(client) == []
    assert Application.objects.get().channel == "主动发现"


def test_a_second_click_makes_no_second_application(
    sign_in: SignIn, clerk_a: User, month: Month, elder_a: Elder
) -> None:
    client = sign_in(clerk_a)
    pair = f"{elder_a.pk}:{an_item('A2').pk}"
    client.post(f"{MISSED}apply/", {"line": [pair]})
    assert "不在漏享名单上" in client.post(f"{MISSED}apply/", {"line": [pair]}, follow=True).content.decode()
    assert Application.objects.count() == 1


@pytest.mark.parametrize("line", ["", "x:y", "1", "99999999999999999999:1"])
def test_nonsense_starts_nothing(sign_in: SignIn, clerk_a: User, month: Month, line: str) -> None:
    response = sign_in(clerk_a).post(f"{MISSED}apply/", {"line": [line]}, follow=True)
    assert "没有选中老年人" in response.content.decode()


def test_the_ladder_of_the_missed(
    sign_in: SignIn, clerk_b: User, month: Month, elder_a: Elder, lead_a: User
) -> None:
    worker = make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A)
    assert sign_in(worker).get(MISSED).status_code == 403
    assert missed_names(sign_in(clerk_b)) == []
    assert sign_in(clerk_b).get("/months/2026-09/missed/").status_code == 404
    assert sign_in(clerk_b).post(MISSED).status_code == 405
    assert sign_in(clerk_b).get(f"{MISSED}apply/").status_code == 405
    assert sign_in(lead_a).post(f"{MISSED}apply/").status_code == 403
    pair = f"{elder_a.pk}:{an_item('A2').pk}"
    sign_in(clerk_b).post(f"{MISSED}apply/", {"line": [pair]})
    assert not Application.objects.exists()


def test_what_an_elder_draws_is_suspended_resumed_and_stopped_from_the_record(
    sign_in: SignIn, clerk_a: User, month: Month, elder_a: Elder
) -> None:
    client = sign_in(clerk_a)
    url = f"/elders/{elder_a.pk}/enrolments/change/"
    item = an_item("A1").pk
    for action, reason, state in (
        ("暂停", "查找不到本人", "暂停"),
        ("恢复", "短暂失联", "享受中"),
        ("停发", "自愿放弃", "终止"),
    ):
        response = client.post(url, {"action": action, "item": item, "reason": reason}, follow=True)
        assert f"已办理{action}" in response.content.decode()
        assert Enrolment.objects.get().state == state
    page = client.get(f"/elders/{elder_a.pk}/enrolments/").content.decode()
    assert "自愿放弃" in page
    assert "办理记录 3 条" in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("reason", "", "请选择原因"),
        ("action", "登记", "请选择办理什么"),
        ("item", "999999", "请选择列出的项目"),
        ("month", "三月", "2026-11 的样子"),
        ("action", "恢复", "没有办理"),
    ],
)
def test_a_faulty_change_is_refused_and_keeps_what_was_typed(
    sign_in: SignIn, clerk_a: User, month: Month, elder_a: Elder, field: str, value: str, said: str
) -> None:
    typed = {"action": "停发", "item": an_item("A1").pk, "reason": "去世", "note": "留住这句话"}
    url = f"/elders/{elder_a.pk}/enrolments/change/"
    text = sign_in(clerk_a).post(url, typed | {field: value}).content.decode()
    assert said in text
    assert not Enrolment.objects.exists()


def test_the_ladder_of_enrolments(
    sign_in: SignIn, clerk_b: User, month: Month, elder_a: Elder, reader_a: User, system_admin: User
) -> None:
    url = f"/elders/{elder_a.pk}/enrolments/"
    assert sign_in(reader_a).get(url).status_code == 200
    assert sign_in(system_admin).get(url).status_code == 403
    assert sign_in(clerk_b).get(url).status_code == 404
    assert sign_in(reader_a).post(url).status_code == 405
    assert sign_in(clerk_b).post(f"{url}change/").status_code == 404
    assert sign_in(reader_a).post(f"{url}change/").status_code == 403
    assert sign_in(clerk_b).get(f"{url}change/").status_code == 405
    assert "办理停发" not in sign_in(reader_a).get(url).content.decode()


@pytest.mark.parametrize(("url", "budget"), [(LIST, 15), (f"{LIST}?view=all", 15), (MISSED, 15)])
def test_the_lists_ask_few_questions_whatever_their_length(
    sign_in: SignIn,
    bureau_clerk: User,
    month: Month,
    elder_a: Elder,
    django_assert_max_num_queries: Any,
    url: str,
    budget: int,
) -> None:
    for number in range(30):
        elder = make_elder(date(1940, 1, 1), name=f"老{number}", hukou=VILLAGE_A)
        decide(month, elder, "A2", "未申请", VILLAGE_A, "100.00")
        if number % 2:
            apply(elder, bureau_clerk)
    client = sign_in(bureau_clerk)
    with django_assert_max_num_queries(budget):
        client.get(url)


def test_the_page_of_an_application_asks_few_questions(
    sign_in: SignIn, lead_a: User, chief: User, application: Application, django_assert_max_num_queries: Any
) -> None:
    application_check(application_id=application.pk, actor=lead_a)
    client = sign_in(chief)
    with django_assert_max_num_queries(19):
        client.get(f"{LIST}{application.pk}/")


def test_who_approved_may_not_refuse_what_he_checked(
    sign_in: SignIn, lead_a: User, chief: User, application: Application
) -> None:
    application_check(application_id=application.pk, actor=lead_a)
    application_approve(application_id=application.pk, actor=chief)
    assert state_of(application) == "已批准"
    assert (
        "不能"
        in sign_in(chief).post(f"{LIST}{application.pk}/refuse/", {"reason": "批错了"}).content.decode()
    )
