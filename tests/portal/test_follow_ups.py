"""Pages of follow-ups: the list with its counts, one matter, and its steps, each for whom it is there."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from eldercare.choices import Kind
from eldercare.models import Elder
from operations.services.stored_file import stored_file_create
from organization.choices import Role
from organization.models import Assignment, Bureau, User
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn
from tests.registry import make_elder
from visits.choices import FollowUpKind, FollowUpState
from visits.models import Finding, FollowUp, Visit, VisitPhoto

LIST = "/follow-ups/"
WAITING, WORKING, DONE, DROPPED = FollowUpState


@pytest.fixture
def bureaus(county: object) -> dict[str, Bureau]:
    """县残联 and 县民政局."""
    names = (("cl", "县残联"), ("mzj", "县民政局"))
    return {code: Bureau.objects.create(area_id=COUNTY, code=code, name=name) for code, name in names}


@pytest.fixture
def officer(bureaus: dict[str, Bureau]) -> User:
    """Somebody of 县残联."""
    user = User.objects.create_user("officer", password="Sunny-Hills-2026", full_name="残联王")
    Assignment.objects.create(user=user, role=Role.DEPARTMENT, area_id=COUNTY, bureau=bureaus["cl"])
    return user


def matter(
    kind: str = FollowUpKind.REFERRAL,
    *,
    bureau: Bureau | None = None,
    village: str = VILLAGE_A,
    result: str = "见到本人",
    hours: float = 24,
    **more: Any,
) -> FollowUp:
    """A follow-up about a new elder, due in some hours."""
    elder = make_elder(date(1942, 5, 17), hukou=village, name=more.pop("name", "赵春梅"))
    event = Visit.objects.create(
        id=uuid4(),
        elder=elder,
        at=timezone.now() - timedelta(days=1),
        mode="上门",
        result=result,
        visitor="协管员一",
        note="住在后屋",
        event_day=date(2026, 3, 9) if result in ("已故", "已迁出", "入机构") else None,
    )
    finding = None
    if kind == FollowUpKind.REFERRAL:
        finding = Finding.objects.create(
            visit=event, code="aids", name="需要康复辅具", group="需求", note="轮椅坏了"
        )
    return FollowUp.objects.create(
        kind=kind,
        elder=elder,
        visit=event,
        finding=finding,
        area_code=village,
        bureau=bureau,
        title="需要康复辅具" if finding else f"{kind}事项",
        due_at=timezone.now() + timedelta(hours=hours),
        **more,
    )


def detail(row: FollowUp, what: str = "") -> str:
    """Path of a page of the matter."""
    return f"{LIST}{row.pk}/{what}"


def titles(client: Client, query: str = "") -> list[str]:
    """Names on the list."""
    return [each.row.elder.name for each in client.get(LIST + query).context["rows"]]


def test_a_bureau_sees_its_own_matters_and_no_other(
    sign_in: SignIn, officer: User, bureaus: dict[str, Bureau]
) -> None:
    matter(bureau=bureaus["cl"], name="残联的")
    foreign = matter(bureau=bureaus["mzj"], name="民政的")
    village = matter(FollowUpKind.HOME_VISIT, name="村里的")
    client = sign_in(officer)
    assert titles(client) == ["残联的"]
    assert [client.get(detail(row)).status_code for row in (foreign, village)] == [404, 404]


@pytest.mark.parametrize("what", ["step/", "hand-on/"])
def test_a_matter_of_another_bureau_takes_no_step_of_mine(
    sign_in: SignIn, officer: User, bureaus: dict[str, Bureau], what: str
) -> None:
    row = matter(bureau=bureaus["mzj"])
    data = {"act": "done", "note": "已经办好", "bureau": bureaus["cl"].pk, "reason": "归我们管", "seen": 0}
    assert sign_in(officer).post(detail(row, what), data).status_code == 404
    assert not row.steps.exists()


@pytest.mark.parametrize("what", ["", "confirm/", "step/"])
def test_another_townships_matter_is_not_there(sign_in: SignIn, clerk_a: User, what: str) -> None:
    row = matter(FollowUpKind.DEATH, village=VILLAGE_B, result="已故")
    client = sign_in(clerk_a)
    data = {"act": "dropped", "note": "误报健在", "day": "2026-03-09", "evidence": "死亡证明", "seen": 0}
    path = detail(row, what)
    assert (client.post(path, data) if what else client.get(path)).status_code == 404
    assert not row.elder.circumstances.filter(kind=Kind.DEATH).exists()


@pytest.mark.parametrize("path", [LIST, f"{LIST}1/"])
def test_a_reader_without_the_right_is_refused(sign_in: SignIn, reader_a: User, path: str) -> None:
    assert sign_in(reader_a).get(path).status_code == 403


@pytest.mark.parametrize("role", [Role.VILLAGE_WORKER, Role.TOWNSHIP_LEAD])
def test_only_who_may_stop_payments_confirms_a_death(sign_in: SignIn, county: object, role: Role) -> None:
    row = matter(FollowUpKind.DEATH, result="已故")
    user = make_user("u", role, TOWN_A)
    data = {"day": "2026-03-09", "evidence": "死亡证明", "seen": 0}
    assert sign_in(user).post(detail(row, "confirm/"), data).status_code == 403
    assert row.elder.circumstances.filter(kind=Kind.DEATH).count() == 0


@pytest.mark.parametrize("what", ["step/", "hand-on/", "confirm/"])
def test_a_step_is_not_taken_by_looking(sign_in: SignIn, clerk_a: User, what: str) -> None:
    row = matter(FollowUpKind.DEATH, result="已故")
    assert sign_in(clerk_a).get(detail(row, what)).status_code == 405


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["逾期", "今天", "红色", "残联"]),
        ("?state=全部", ["逾期", "今天", "红色", "残联", "办完"]),
        ("?state=已办结", ["办完"]),
        ("?state=办理中", ["今天"]),
        ("?state=胡说", []),
        ("?kind=转介", ["残联"]),
        ("?kind=胡说", []),
        ("?risk=红", ["红色"]),
        ("?risk=无", ["逾期", "今天", "残联"]),
        ("?due=overdue", ["逾期"]),
        ("?due=胡说", []),
        ("?bureau=0", ["逾期", "今天", "红色"]),
        ("?bureau=胡说", []),
        (f"?area={TOWN_B}", ["残联"]),
        (f"?area={VILLAGE_A}", ["逾期", "今天", "红色"]),
        ("?area=胡说", []),
    ],
)
def test_the_filters_find_what_they_say(
    sign_in: SignIn, bureau_clerk: User, bureaus: dict[str, Bureau], query: str, expected: list[str]
) -> None:
    matter(FollowUpKind.HOME_VISIT, hours=-30, name="逾期")
    matter(FollowUpKind.HOME_VISIT, hours=1, state=WORKING, name="今天")
    matter(FollowUpKind.RED_RISK, hours=20, risk="红", name="红色")
    matter(bureau=bureaus["cl"], hours=240, village=VILLAGE_B, name="残联")
    matter(FollowUpKind.HOME_VISIT, hours=300, state=DONE, closed_at=timezone.now(), name="办完")
    assert titles(sign_in(bureau_clerk), query) == expected


def test_mine_are_those_that_i_may_handle(sign_in: SignIn, clerk_a: User, bureaus: dict[str, Bureau]) -> None:
    matter(bureau=bureaus["cl"], name="残联")
    matter(FollowUpKind.DEATH, result="已故", name="报亡")
    client = sign_in(clerk_a)
    assert sorted(titles(client)) == ["报亡", "残联"] and titles(client, "?mine=1") == ["报亡"]


def test_the_counts_are_those_of_the_whole_result(sign_in: SignIn, bureau_clerk: User) -> None:
    for number in range(23):
        matter(FollowUpKind.HOME_VISIT, hours=-1 if number < 5 else 1, name=f"老人{number}")
    response = sign_in(bureau_clerk).get(f"{LIST}?size=20")
    figures = response.context["figures"]
    assert (len(response.context["rows"]), figures.total, figures.waiting, figures.overdue) == (20, 23, 23, 5)


def test_fifty_matters_cost_as_many_queries_as_one(
    sign_in: SignIn, bureau_clerk: User, bureaus: dict[str, Bureau], django_assert_max_num_queries: Any
) -> None:
    for number in range(50):
        matter(bureau=bureaus["cl"], name=f"老人{number}")
    client = sign_in(bureau_clerk)
    with django_assert_max_num_queries(14):
        client.get(LIST)


def test_several_are_accepted_at_once_and_the_rest_is_told(
    sign_in: SignIn, officer: User, bureaus: dict[str, Bureau]
) -> None:
    rows = [matter(bureau=bureaus["cl"]) for _ in range(3)]
    rows.append(matter(bureau=bureaus["cl"], state=WORKING))
    response = sign_in(officer).post(
        f"{LIST}accept/", {"follow_up": [row.pk for row in rows], "filters": "kind=转介"}, follow=True
    )
    said = [str(message) for message in response.context["messages"]]
    assert said == ["已接收 3 件。", "另有 1 件没有改动：已在办理或已办结，或由别的单位办理。"]
    assert response.redirect_chain[0][0].endswith("?kind=%E8%BD%AC%E4%BB%8B")
    assert {row.state for row in FollowUp.objects.all()} == {WORKING}


def test_accepting_nothing_says_so(sign_in: SignIn, officer: User) -> None:
    response = sign_in(officer).post(f"{LIST}accept/", {"filters": ""})
    assert response.status_code == 409 and "没有选中事项" in response.content.decode()


def test_a_referral_is_closed_with_its_result(
    sign_in: SignIn, officer: User, bureaus: dict[str, Bureau]
) -> None:
    row = matter(bureau=bureaus["cl"])
    client = sign_in(officer)
    page = client.get(detail(row))
    assert "轮椅坏了" in page.content.decode() and "住在后屋" not in page.content.decode()
    response = client.post(
        detail(row, "step/"), {"act": "done", "note": "已配轮椅一辆", "seen": page.context["seen"]}
    )
    row.refresh_from_db()
    assert (response.status_code, row.state, row.steps.get().note) == (302, DONE, "已配轮椅一辆")


@pytest.mark.parametrize(
    ("what", "data", "said"),
    [
        ("step/", {"act": "done", "note": "好", "seen": 0}, "办理结果要写 4 到 200 个字"),
        ("step/", {"act": "fly", "note": "已经办好", "seen": 0}, "请选择怎样办理"),
        ("step/", {"act": "done", "note": "已经办好"}, "页面已过期"),
        ("step/", {"act": "done", "note": "已经办好", "seen": 99}, ""),
        ("hand-on/", {"reason": "不归我们管", "seen": 0}, "请选择转给哪个单位"),
        ("hand-on/", {"bureau": "0", "reason": "不归我们管", "seen": 0}, "请选择本县的一个责任单位"),
        ("hand-on/", {"bureau": "0", "seen": 0}, "请写明转办理由"),
    ],
)
def test_bad_input_says_what_to_write_and_keeps_what_was_typed(
    sign_in: SignIn, officer: User, bureaus: dict[str, Bureau], what: str, data: dict[str, Any], said: str
) -> None:
    row = matter(bureau=bureaus["cl"])
    response = sign_in(officer).post(detail(row, what), data)
    text = response.content.decode()
    if not said:
        assert response.status_code == 302
        return
    assert response.status_code == 409 and said in text
    assert str(data.get("note", data.get("reason", ""))) in text
    assert not row.steps.exists()


def test_handed_on_it_leaves_my_sight(sign_in: SignIn, officer: User, bureaus: dict[str, Bureau]) -> None:
    row = matter(bureau=bureaus["cl"])
    data = {"bureau": bureaus["mzj"].pk, "reason": "属于适老化改造", "seen": 0}
    response = sign_in(officer).post(detail(row, "hand-on/"), data)
    row.refresh_from_db()
    assert (response["Location"], row.bureau) == (LIST, bureaus["mzj"])


def test_the_day_of_death_is_proposed_as_it_was_told(sign_in: SignIn, clerk_a: User) -> None:
    row = matter(FollowUpKind.DEATH, result="已故")
    page = sign_in(clerk_a).get(detail(row)).content.decode()
    assert 'name="day" required maxlength="10" autocomplete="off" value="2026-03-09"' in page


def test_a_confirmed_death_is_registered(sign_in: SignIn, clerk_a: User) -> None:
    row = matter(FollowUpKind.DEATH, result="已故")
    data = {"day": "2026-03-08", "evidence": "火化证明", "seen": 0}
    response = sign_in(clerk_a).post(detail(row, "confirm/"), data, follow=True)
    assert "于 2026-03-08 去世，下次核定起按规定停发" in response.content.decode()
    assert row.elder.circumstances.get(kind=Kind.DEATH).document == "火化证明"


@pytest.mark.parametrize(
    ("day", "evidence", "said"),
    [
        ("2026/03/08", "火化证明", "日期应写成 2026-11-01 的样子"),
        ("", "火化证明", "请填写日期"),
        ("2199-01-01", "火化证明", "在今天之后"),
        ("2026-03-08", "", "请写明依据"),
    ],
)
def test_a_death_without_day_or_evidence_is_not_registered(
    sign_in: SignIn, clerk_a: User, day: str, evidence: str, said: str
) -> None:
    row = matter(FollowUpKind.DEATH, result="已故")
    response = sign_in(clerk_a).post(detail(row, "confirm/"), {"day": day, "evidence": evidence, "seen": 0})
    text = response.content.decode()
    assert response.status_code == 409 and said in text and f'value="{evidence}"' in text
    assert not row.elder.circumstances.filter(kind=Kind.DEATH).exists()


def test_an_institution_is_chosen_on_the_spot(sign_in: SignIn, clerk_a: User) -> None:
    row = matter(FollowUpKind.MOVED_OUT, result="入机构")
    data = {"day": "2026-03-08", "evidence": "入住合同", "institution": "养老机构", "seen": 0}
    sign_in(clerk_a).post(detail(row, "confirm/"), data)
    assert row.elder.circumstances.get(kind=Kind.INSTITUTION).value == "养老机构"


def test_a_photo_is_shown_with_its_matter_alone(
    sign_in: SignIn, officer: User, bureaus: dict[str, Bureau]
) -> None:
    mine, foreign = matter(bureau=bureaus["cl"]), matter(bureau=bureaus["mzj"])
    photos = [
        VisitPhoto.objects.create(
            visit=row.visit,
            file=stored_file_create(name="a.jpg", content=b"\xff\xd8\xffpicture"),
            fingerprint=1,
        )
        for row in (mine, foreign)
    ]
    client = sign_in(officer)
    assert client.get(detail(mine, f"photos/{photos[0].pk}/")).content == b"\xff\xd8\xffpicture"
    assert client.get(detail(mine, f"photos/{photos[1].pk}/")).status_code == 404
    assert client.get(detail(foreign, f"photos/{photos[1].pk}/")).status_code == 404


def test_the_page_shows_the_whole_way_of_a_matter(
    sign_in: SignIn, officer: User, bureaus: dict[str, Bureau]
) -> None:
    row = matter(bureau=bureaus["cl"])
    client = sign_in(officer)
    client.post(detail(row, "step/"), {"act": "accept", "seen": 0})
    client.post(detail(row, "step/"), {"act": "report", "note": "已约下周评估", "seen": row.steps.get().pk})
    text = client.get(detail(row)).content.decode()
    assert text.index("随探访记录产生") < text.index("接收</div>") < text.index("已约下周评估")


def test_names_are_masked_numbers_are_not_whole(sign_in: SignIn, bureau_clerk: User) -> None:
    row = matter(FollowUpKind.DEATH, result="已故")
    text = sign_in(bureau_clerk).get(detail(row)).content.decode()
    assert Elder.objects.get(pk=row.elder_id).masked_id_number in text
    assert isinstance(row.due_at, datetime)


def test_a_bureau_is_told_whom_to_ask_instead_of_a_number(sign_in: SignIn, clerk_a: User) -> None:
    bureau = Bureau.objects.create(area_id=COUNTY, code="cl2", name="县残联二")
    officer = User.objects.create_user("officer2", password="Sunny-Hills-2026")
    Assignment.objects.create(user=officer, role=Role.DEPARTMENT, area_id=COUNTY, bureau=bureau)
    row = matter(bureau=bureau)
    page = sign_in(officer).get(f"/follow-ups/{row.pk}/").content.decode()
    assert f"探访人 协管员一，镇（街）经办人 {clerk_a}" in page
    assert "<dt>电话</dt>" not in page
    assert "需要电话的" not in sign_in(clerk_a).get(f"/follow-ups/{matter().pk}/").content.decode()
