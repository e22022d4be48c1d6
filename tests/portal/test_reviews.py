"""The review of a month by exception and its anomalies: figures tie with lists, decisions in bulk, scope."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from eldercare.choices import YES, Kind
from eldercare.models import Elder
from eldercare.services.monthly_facts import partition_ensure
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import User
from subsidies.models import Adjustment, Anomaly, Month
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn, an_item, decide, freeze
from tests.registry import add, make_elder

REVIEW = "/months/2026-04/review/"
ANOMALIES = "/months/2026-04/anomalies/"
DECIDE = f"{ANOMALIES}decide/"
APRIL = date(2026, 4, 1)


@pytest.fixture
def april(month: Month, elder_a: Elder, elder_b: Elder) -> Month:
    """April: elder_a draws more of A1 and new A4, elder_b nothing; one back payment; one anomaly in each township."""
    with connection.cursor() as cursor:
        partition_ensure(cursor, "subsidies_entitlement", APRIL)
    row = Month.objects.create(
        county_code=month.county_code, month=APRIL, revision=1, persons=2, published_at=timezone.now()
    )
    freeze(APRIL, elder_a)
    decide(row, elder_a, "A1", "应发", VILLAGE_A, "80.00")
    decide(row, elder_a, "A4", "应发", VILLAGE_A, "10.00")
    Adjustment.objects.create(
        run=row,
        elder=elder_a,
        item=an_item("A1"),
        month=date(2026, 3, 1),
        kind="补发",
        amount="50",
        area_code=VILLAGE_A,
    )
    anomaly(row, elder_a, "同一账户", VILLAGE_A)
    anomaly(row, elder_b, "没有账户", VILLAGE_B)
    return row


def anomaly(month: Month, elder: Elder, kind: str, area_code: str) -> Anomaly:
    """One undecided anomaly."""
    return Anomaly.objects.create(
        run=month, elder=elder, kind=kind, detail=f"{kind}的情况", fingerprint="f", area_code=area_code
    )


def rows(client: Client, tab: str, extra: str = "") -> list[Any]:
    """Rows of a tab."""
    return list(client.get(f"{REVIEW}?tab={tab}{extra}").context["rows"])


def test_each_tab_counts_and_sums_its_list(sign_in: SignIn, bureau_clerk: User, april: Month) -> None:
    client = sign_in(bureau_clerk)
    tabs = {tab.slug: (tab.lines, tab.amount) for tab in client.get(REVIEW).context["tabs"]}
    assert tabs == {
        "new": (1, Decimal("10.00")),
        "stopped": (1, Decimal("50.00")),
        "changed": (1, Decimal("30.00")),
        "back": (1, Decimal("50.00")),
        "recovery": (0, Decimal("0.00")),
        "anomaly": (2, Decimal("0.00")),
    }
    for slug, (lines, _) in tabs.items():
        page = client.get(f"{REVIEW}?tab={slug}").context
        assert len(page["rows"]) == page["page"].paginator.count == lines, slug


def test_a_row_says_who_what_and_last_month_against_this_one(
    sign_in: SignIn, bureau_clerk: User, april: Month
) -> None:
    client = sign_in(bureau_clerk)
    (changed,) = rows(client, "changed")
    assert (changed.name, changed.item, changed.before, changed.now) == (
        "赵春梅",
        "A1 项目A1",
        Decimal("50.00"),
        Decimal("80.00"),
    )
    (stopped,) = rows(client, "stopped")
    assert (stopped.name, stopped.before, stopped.now_word) == ("钱乙福", Decimal("50.00"), "无")


def test_a_new_line_names_the_fact_that_changed(
    sign_in: SignIn, bureau_clerk: User, april: Month, elder_a: Elder
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE eldercare_monthlyfacts SET ability_level = 2 WHERE month = '2026-04-01'")
    (new,) = rows(sign_in(bureau_clerk), "new")
    assert new.why == "能力等级由“没有有效结果”变为“中度失能”"


def test_a_stopped_line_of_who_died_says_so(
    sign_in: SignIn, bureau_clerk: User, april: Month, elder_b: Elder
) -> None:
    add(elder_b, Kind.DEATH, YES, date(2026, 3, 12))
    (stopped,) = rows(sign_in(bureau_clerk), "stopped")
    assert stopped.why == "2026-03-12 去世，发至当月，次月起停发"


@pytest.mark.parametrize(("outcome", "why"), [("未申请", "享受登记已终止"), ("暂停", "享受登记已暂停")])
def test_a_stopped_line_says_what_became_of_the_enrolment(
    sign_in: SignIn, bureau_clerk: User, april: Month, elder_b: Elder, outcome: str, why: str
) -> None:
    decide(april, elder_b, "A1", outcome, VILLAGE_B)
    (stopped,) = rows(sign_in(bureau_clerk), "stopped")
    assert (stopped.now_word, stopped.why) == (outcome, why)


def test_a_back_payment_is_explained(sign_in: SignIn, bureau_clerk: User, april: Month) -> None:
    (back,) = rows(sign_in(bureau_clerk), "back")
    assert back.month == date(2026, 3, 1)
    assert "2026年3月应发 50.00 元" in back.why


def test_the_breakdown_opens_lists_that_sum_to_it(sign_in: SignIn, bureau_clerk: User, april: Month) -> None:
    client = sign_in(bureau_clerk)
    breakdown = client.get(f"{REVIEW}?tab=anomaly").context["breakdown"]
    assert [(place.name, place.lines) for place in breakdown.townships] == [("甲镇", 1), ("乙镇", 1)]
    for place in breakdown.townships:
        page = client.get(f"{REVIEW}?tab=anomaly&area={place.code}").context
        assert len(page["rows"]) == page["page"].paginator.count == place.lines


def test_a_list_is_narrowed_to_an_item_and_a_village(
    sign_in: SignIn, bureau_clerk: User, april: Month
) -> None:
    client = sign_in(bureau_clerk)
    item = an_item("A4").pk
    assert len(rows(client, "new", f"&item={item}&area={VILLAGE_A}")) == 1
    assert rows(client, "new", f"&item={item}&area={VILLAGE_B}") == []
    assert rows(client, "new", f"&item={an_item('A1').pk}") == []


def test_a_township_sees_its_own_exceptions(sign_in: SignIn, clerk_b: User, april: Month) -> None:
    tabs = {tab.slug: tab.lines for tab in sign_in(clerk_b).get(REVIEW).context["tabs"]}
    assert tabs == {"new": 0, "stopped": 1, "changed": 0, "back": 0, "recovery": 0, "anomaly": 1}


@pytest.mark.parametrize("query", ["?tab=nonsense", "?item=x&area=9", "?page=99999", "?item=99999999999"])
def test_nonsense_in_the_address_finds_the_page_all_the_same(
    sign_in: SignIn, bureau_clerk: User, april: Month, query: str
) -> None:
    assert sign_in(bureau_clerk).get(REVIEW + query).status_code == 200


@pytest.mark.parametrize("url", [REVIEW, ANOMALIES])
def test_the_ladder_of_the_review(sign_in: SignIn, april: Month, url: str) -> None:
    worker = make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A)
    clerk = make_user("a_clerk", Role.TOWNSHIP_CLERK, TOWN_A)
    assert sign_in(worker).get(url).status_code == 403
    assert sign_in(clerk).get(url).status_code == 200
    assert sign_in(clerk).post(url).status_code == 405
    assert sign_in(clerk).get(url.replace("2026-04", "2026-09")).status_code == 404


def test_the_queue_shows_what_waits_and_filters_by_kind_township_and_state(
    sign_in: SignIn, bureau_clerk: User, april: Month, elder_a: Elder
) -> None:
    client = sign_in(bureau_clerk)

    def shown(query: str = "") -> list[str]:
        return [row.anomaly.elder.name for row in client.get(ANOMALIES + query).context["rows"]]

    assert sorted(shown()) == ["赵春梅", "钱乙福"]
    assert shown("?kind=同一账户") == ["赵春梅"]
    assert shown(f"?area={TOWN_B}") == ["钱乙福"]
    assert shown("?state=放行") == []
    Anomaly.objects.filter(elder=elder_a).update(
        state="放行", decided_by=bureau_clerk, decided_at=timezone.now()
    )
    assert shown("?state=放行") == ["赵春梅"]
    assert len(shown("?state=全部")) == 2


def test_many_are_decided_at_once_and_the_result_says_what_was_left(
    sign_in: SignIn, bureau_clerk: User, april: Month
) -> None:
    ids = list(Anomaly.objects.values_list("pk", flat=True))
    response = sign_in(bureau_clerk).post(
        DECIDE, {"anomaly": ids, "decision": "放行", "reason": "夫妻共用账户"}, follow=True
    )
    text = response.content.decode()
    assert "已放行 1 条" in text
    assert "另有 1 条没有改动" in text
    assert dict(Anomaly.objects.values_list("kind", "state")) == {"同一账户": "放行", "没有账户": "待核"}
    assert AuditEntry.objects.filter(action="异常放行").count() == 1


def test_what_was_typed_and_ticked_stays_when_it_is_refused(
    sign_in: SignIn, bureau_clerk: User, april: Month
) -> None:
    row = Anomaly.objects.get(kind="同一账户")
    response = sign_in(bureau_clerk).post(DECIDE, {"anomaly": [row.pk], "decision": "放行", "reason": "核实"})
    text = response.content.decode()
    assert "处理理由应为 4 至 200 个字" in text
    assert 'value="核实"' in text
    assert response.context["ticked"] == {row.pk}
    row.refresh_from_db()
    assert row.state == "待核"


def test_only_the_bureaus_clerk_decides(sign_in: SignIn, april: Month, clerk_a: User) -> None:
    row = Anomaly.objects.get(kind="同一账户")
    data = {"anomaly": [row.pk], "decision": "放行", "reason": "夫妻共用账户"}
    assert sign_in(clerk_a).post(DECIDE, data).status_code == 403
    elsewhere = make_user("b_clerk", Role.BUREAU_CLERK, TOWN_B)
    assert "不在您的区划内" in sign_in(elsewhere).post(DECIDE, data).content.decode()
    assert sign_in(make_user("county_clerk", Role.BUREAU_CLERK, COUNTY)).get(DECIDE).status_code == 405
    row.refresh_from_db()
    assert row.state == "待核"


def test_an_anomaly_of_another_month_is_not_decided_here(
    sign_in: SignIn, bureau_clerk: User, april: Month, month: Month, elder_a: Elder
) -> None:
    other = anomaly(month, elder_a, "户名不符", VILLAGE_A)
    sign_in(bureau_clerk).post(DECIDE, {"anomaly": [other.pk], "decision": "放行", "reason": "夫妻共用账户"})
    other.refresh_from_db()
    assert other.state == "待核"


@pytest.mark.parametrize(("tab", "budget"), [("new", 22), ("stopped", 22), ("anomaly", 15), ("back", 22)])
def test_the_review_asks_few_questions_whatever_its_length(
    sign_in: SignIn,
    bureau_clerk: User,
    april: Month,
    django_assert_max_num_queries: Any,
    tab: str,
    budget: int,
) -> None:
    client = sign_in(
        bureau_clerk
    )  # what changed is looked up for the whole page at once: seven reads of their own
    for number in range(30):
        elder = make_elder(date(1940, 1, 1), name=f"增{number}")
        decide(april, elder, "A1", "应发", VILLAGE_A)
        anomaly(april, elder, "户名不符", VILLAGE_A)
        Adjustment.objects.create(
            run=april,
            elder=elder,
            item=an_item("A1"),
            month=date(2026, 3, 1),
            kind="补发",
            amount="50",
            area_code=VILLAGE_A,
        )
    client.get(f"{REVIEW}?tab={tab}")
    with django_assert_max_num_queries(budget):
        client.get(f"{REVIEW}?tab={tab}")


def test_the_queue_of_anomalies_asks_few_questions(
    sign_in: SignIn, bureau_clerk: User, april: Month, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        anomaly(april, make_elder(date(1940, 1, 1), name=f"异{number}"), "户名不符", VILLAGE_A)
    client = sign_in(bureau_clerk)
    with django_assert_max_num_queries(14):
        client.get(ANOMALIES)
