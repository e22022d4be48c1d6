"""The page of tiers: what holds and is planned, live counts, setting, ending and taking back."""

from datetime import date

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import Document, VisitTier
from eldercare.models import Elder
from organization.choices import Role
from organization.models import Area, User
from portal.tier_forms import coming_months
from tests.conftest import make_user
from tests.portal.conftest import SignIn
from tests.portal.visits import owe
from tests.registry import make_elder

pytestmark = pytest.mark.django_db
LIST = "/visits/tiers/"
NEW = "/visits/tiers/new/"
EDIT = "/visits/tiers/month/edit/"
PREVIEW = "/visits/tiers/preview/"


@pytest.fixture
def tier(county: Area) -> VisitTier:
    """The county's only tier: whoever lives alone, once a month."""
    document = Document.objects.create(
        code="list", title="测试清单", issued=date(2020, 1, 1), area_id=county.code
    )
    return VisitTier.objects.create(
        document=document,
        code="month",
        name="每月探访",
        rule="独居",
        times=1,
        per="月",
        modes=["上门", "电话"],
        order=2,
        valid=DateRange(date(2020, 1, 1), None),
    )


def since() -> date:
    return coming_months(timezone.localdate())[0]


def typed(**more: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "code": "month", "name": "每月探访", "rule": "独居 或 空巢", "times": "1", "per": "月",
        "modes": ["上门", "电话"], "in_person": "0", "order": "2", "clause": "", "note": "",
        "since": str(since()),
    }  # fmt: skip
    return usual | more


def versions() -> list[tuple[str, str, date, date | None]]:
    rows = VisitTier.objects.order_by("code", "valid")
    return [(row.code, row.rule, row.valid.lower, row.valid.upper) for row in rows]


STANDS = ("month", "独居", date(2020, 1, 1), None)


def test_the_counts_are_exclusive_by_order_and_by_rule_alone(
    sign_in: SignIn, bureau_clerk: User, tier: VisitTier, elder_a: Elder, elder_b: Elder
) -> None:
    tier.pk = None
    tier.code, tier.name, tier.rule, tier.order = "all", "全部", "年龄 >= 60", 9
    tier.save()
    make_elder(date(1940, 1, 1), name="已故", lives_alone=True, death=True)
    page = sign_in(bureau_clerk).get(f"{LIST}counts/")
    found = {line.code: (count.people, count.matching) for line, count in page.context["lines"]}
    assert found == {"month": (1, 1), "all": (1, 2)}
    assert page.context["total"] == 2


def test_the_list_shows_what_holds_and_what_is_planned(
    sign_in: SignIn, bureau_clerk: User, tier: VisitTier
) -> None:
    client = sign_in(bureau_clerk)
    client.post(EDIT, typed())
    page = client.get(LIST).content.decode()
    assert "现行" in page
    assert f"{since()} 起执行" in page
    assert "独居 或 空巢" in page


def test_a_version_is_set_from_a_coming_month(sign_in: SignIn, bureau_clerk: User, tier: VisitTier) -> None:
    said = sign_in(bureau_clerk).post(EDIT, typed(), follow=True).content.decode()
    assert f"“每月探访”的新版本自 {since()} 起执行" in said
    assert versions() == [
        ("month", "独居", date(2020, 1, 1), since()),
        ("month", "独居 或 空巢", since(), None),
    ]


def test_days_of_grace_are_not_asked_for_and_go_on_with_the_tier(
    sign_in: SignIn, bureau_clerk: User, tier: VisitTier
) -> None:
    VisitTier.objects.update(grace_days=5)
    client = sign_in(bureau_clerk)
    assert "宽限" not in client.get(EDIT).content.decode()
    client.post(EDIT, typed())
    client.post(NEW, typed(code="week", order="1"))
    planned = VisitTier.objects.filter(valid__startswith=since())
    assert dict(planned.values_list("code", "grace_days")) == {"month": 5, "week": 0}


def test_the_code_of_a_tier_does_not_change_with_its_version(
    sign_in: SignIn, bureau_clerk: User, tier: VisitTier
) -> None:
    sign_in(bureau_clerk).post(EDIT, typed(code="other"))
    assert {code for code, *_ in versions()} == {"month"}


def test_a_new_tier_is_set_and_its_code_must_be_new(
    sign_in: SignIn, bureau_clerk: User, tier: VisitTier
) -> None:
    client = sign_in(bureau_clerk)
    assert "编码“month”已用过" in client.post(NEW, typed()).content.decode()
    client.post(NEW, typed(code="week", per="周", order="1"))
    assert ("week", "独居 或 空巢", since(), None) in versions()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"rule": "独居 或"}, "条件第 1 行第 5 列"),
        ({"rule": ""}, "请填写条件"),
        ({"since": "2020-01-01"}, "只能从以后某个月的 1 日起执行"),
        ({"since": "x"}, "请选择从哪个月起执行"),
        ({"times": "0"}, "次数太小"),
        ({"times": "一"}, "次数应是整数"),
        ({"modes": []}, "请至少选一种方式"),
        ({"modes": ["电话"], "in_person": "1"}, "方式里就要有上门"),
        ({"per": "年"}, "请选择周期"),
        ({"rule": "独居"}, "没有不同"),
    ],
)
def test_a_fault_is_said_and_what_was_typed_stays(
    sign_in: SignIn, bureau_clerk: User, tier: VisitTier, more: dict[str, object], said: str
) -> None:
    page = sign_in(bureau_clerk).post(EDIT, typed(name="每月探访" if "rule" in more else "改名", **more))
    assert said in page.content.decode()
    assert page.context["values"]["times"] == typed(**more)["times"]
    assert versions() == [STANDS]


def test_the_preview_says_now_and_then_by_township_and_writes_nothing(
    sign_in: SignIn, bureau_clerk: User, tier: VisitTier, elder_a: Elder, elder_b: Elder
) -> None:
    page = sign_in(bureau_clerk).post(PREVIEW, typed(rule="年龄 >= 80"))
    assert page.context["townships"] == [("甲镇", 1, 1, 0), ("乙镇", 0, 1, 1)]
    assert (page.context["total_before"], page.context["total_after"]) == (1, 2)
    assert versions() == [STANDS]


def test_the_preview_of_a_faulty_rule_says_where_and_what_was_expected(
    sign_in: SignIn, bureau_clerk: User, tier: VisitTier
) -> None:
    page = sign_in(bureau_clerk).post(PREVIEW, typed(rule="独居\n且 孤寡")).content.decode()
    assert "条件第 2 行第 3 列" in page


def test_a_tier_ends_with_a_month(sign_in: SignIn, bureau_clerk: User, tier: VisitTier) -> None:
    client = sign_in(bureau_clerk)
    url = reverse("portal:tier-stop", args=["month"])
    assert "请选择从哪个月起停用" in client.post(url, {"since": "x"}, follow=True).content.decode()
    client.post(url, {"since": str(since())})
    assert versions() == [("month", "独居", date(2020, 1, 1), since())]


def undo(client: Client) -> str:
    planned = VisitTier.objects.get(valid__startswith=since())
    return client.post(reverse("portal:tier-undo", args=[planned.pk]), follow=True).content.decode()


def test_a_planned_version_is_taken_back(sign_in: SignIn, bureau_clerk: User, tier: VisitTier) -> None:
    client = sign_in(bureau_clerk)
    client.post(EDIT, typed())
    assert "版本已撤回" in undo(client)
    assert versions() == [STANDS]


def test_a_planned_version_that_people_owe_visits_by_stays(
    sign_in: SignIn, bureau_clerk: User, tier: VisitTier, elder_a: Elder
) -> None:
    client = sign_in(bureau_clerk)
    client.post(EDIT, typed())
    row = owe(elder_a, since())
    row.tier = VisitTier.objects.get(valid__startswith=since(), document=tier.document)
    row.save()
    assert "已经用来生成了应访名单" in undo(client)


@pytest.mark.parametrize("path", [NEW, EDIT])
def test_who_does_not_keep_tiers_reads_them_alone(
    sign_in: SignIn, clerk_a: User, tier: VisitTier, path: str
) -> None:
    client = sign_in(clerk_a)
    assert client.get(LIST).status_code == 200
    assert "设置新版本" not in client.get(LIST).content.decode()
    assert client.get(path).status_code == 403
    assert client.post(PREVIEW, typed()).status_code == 403


def test_another_countys_tier_is_not_found(sign_in: SignIn, tier: VisitTier) -> None:
    Area.objects.create(code="530323000000", name="邻县")
    client = sign_in(make_user("other", Role.BUREAU_CLERK, "530323000000"))
    assert client.get(EDIT).status_code == 404
    assert (
        client.post(reverse("portal:tier-stop", args=["month"]), {"since": str(since())}).status_code == 404
    )
    assert client.post(reverse("portal:tier-undo", args=[tier.pk])).status_code == 404


def test_what_changes_something_is_not_got(sign_in: SignIn, bureau_clerk: User, tier: VisitTier) -> None:
    client = sign_in(bureau_clerk)
    for url in (PREVIEW, reverse("portal:tier-stop", args=["month"]), reverse("portal:tier-undo", args=[1])):
        assert client.get(url).status_code == 405


def test_an_administrator_sees_no_tiers(sign_in: SignIn, system_admin: User, tier: VisitTier) -> None:
    assert sign_in(system_admin).get(LIST).status_code == 403
