"""The record of one elder: ladder, timeline, reasons, reveal."""

from datetime import date, timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from eldercare.choices import Kind
from eldercare.models import Elder
from operations.models import AuditEntry
from organization.models import User
from portal.views import elder as elder_views
from subsidies.models import Month
from tests.conftest import VILLAGE_B
from tests.portal.conftest import SignIn
from tests.races import at_once, raised
from tests.registry import add, make_elder
from visits.models import Visit


def record(elder: Elder) -> str:
    """Address of a record."""
    return reverse("portal:elder-detail", args=[elder.pk])


def services(elder: Elder) -> str:
    """Address of the services."""
    return reverse("portal:elder-services", args=[elder.pk])


def reveal(elder: Elder) -> str:
    """Address of the reveal."""
    return reverse("portal:elder-reveal", args=[elder.pk])


def test_the_own_clerk_opens_the_record(sign_in: SignIn, clerk_a: User, elder_a: Elder) -> None:
    text = sign_in(clerk_a).get(record(elder_a)).content.decode()
    assert elder_a.name in text
    assert elder_a.masked_id_number in text


@pytest.mark.parametrize("name", ["elder-detail", "elder-services"])
def test_an_elder_out_of_scope_does_not_exist(
    sign_in: SignIn, clerk_b: User, elder_a: Elder, name: str
) -> None:
    assert sign_in(clerk_b).get(reverse(f"portal:{name}", args=[elder_a.pk])).status_code == 404


def test_the_number_of_an_elder_out_of_scope_cannot_be_revealed(
    sign_in: SignIn, clerk_b: User, elder_a: Elder
) -> None:
    assert sign_in(clerk_b).post(reveal(elder_a), {"reason": "核对身份证原件"}).status_code == 404
    assert not AuditEntry.objects.filter(action="elder_reveal").exists()


def test_the_record_takes_no_post(sign_in: SignIn, clerk_a: User, elder_a: Elder) -> None:
    assert sign_in(clerk_a).post(record(elder_a)).status_code == 405


def test_the_record_keeps_its_query_budget(
    sign_in: SignIn, clerk_a: User, elder_a: Elder, django_assert_max_num_queries: object
) -> None:
    for year in range(2021, 2026):
        add(elder_a, Kind.ABILITY_LEVEL, str(year % 5), date(year, 3, 1), date(year, 9, 1))
    client = sign_in(clerk_a)
    client.get(record(elder_a))
    with django_assert_max_num_queries(15):  # type: ignore[operator]  # pytest-django's callable
        client.get(record(elder_a))


def test_the_day_of_birth_stays_hidden_because_it_would_unmask_the_number(
    sign_in: SignIn, clerk_a: User, elder_a: Elder, month: Month
) -> None:
    client = sign_in(clerk_a)
    text = client.get(record(elder_a)).content.decode() + client.get(services(elder_a)).content.decode()
    assert "1942 年生" in text
    for shown in ("1942-05-17", "1942年5月17日", "19420517", "05-17"):
        assert shown not in text


def test_the_timeline_says_what_holds_since_when_and_from_where(
    sign_in: SignIn, clerk_a: User, elder_a: Elder
) -> None:
    events = sign_in(clerk_a).get(record(elder_a)).context["record"].events
    assert ("低保", date(2020, 1, 1), None, True, "测试") in [
        (e.what, e.since, e.until, e.current, e.source) for e in events
    ]


def test_an_ended_circumstance_shows_its_last_day(sign_in: SignIn, clerk_a: User, elder_a: Elder) -> None:
    add(elder_a, Kind.EMPTY_NEST, "是", date(2021, 1, 1), date(2021, 7, 1))
    events = sign_in(clerk_a).get(record(elder_a)).context["record"].events
    ended = next(event for event in events if event.what == "空巢")
    assert (ended.until, ended.current) == (date(2021, 6, 30), False)


def test_a_dead_elder_is_marked_as_such(sign_in: SignIn, clerk_a: User, elder_a: Elder) -> None:
    add(elder_a, Kind.DEATH, "是", date(2026, 2, 3))
    assert "已于 2026-02-03 去世" in sign_in(clerk_a).get(record(elder_a)).content.decode()


def test_members_of_the_household_out_of_scope_are_not_named(
    sign_in: SignIn, clerk_a: User, elder_a: Elder
) -> None:
    make_elder(date(1945, 1, 1), hukou=VILLAGE_B, name="远亲某", head=elder_a.id_number)
    make_elder(date(1946, 1, 1), name="同户某", head=elder_a.id_number)
    text = sign_in(clerk_a).get(record(elder_a)).content.decode()
    assert "同户某" in text
    assert "远亲某" not in text


def test_a_corrected_visit_is_not_shown(sign_in: SignIn, clerk_a: User, elder_a: Elder) -> None:
    at = timezone.now() - timedelta(days=3)
    given = {"elder": elder_a, "at": at, "mode": "上门", "visitor": "测试员"}
    wrong = Visit.objects.create(id=uuid4(), result="未联系上", **given)
    Visit.objects.create(id=uuid4(), result="见到本人", corrects=wrong.pk, **given)
    shown = sign_in(clerk_a).get(record(elder_a)).context["visits"]
    assert [visit.result for visit in shown] == ["见到本人"]


def test_each_service_is_answered_condition_by_condition(
    sign_in: SignIn, clerk_a: User, elder_a: Elder, month: Month
) -> None:
    panel = sign_in(clerk_a).get(services(elder_a)).context["panel"]
    statuses = {service.explained.item.code: service.status for service in panel.services}
    assert statuses == {"A1": "应发", "A2": "未申请", "A3": "可享", "A4": "资料不全"}


def test_a_fact_names_since_when_and_its_source(
    sign_in: SignIn, clerk_a: User, elder_a: Elder, month: Month
) -> None:
    text = sign_in(clerk_a).get(services(elder_a)).content.decode()
    assert "是（2020-01-01 起，测试）" in text


def test_a_missing_fact_is_named(sign_in: SignIn, clerk_a: User, elder_a: Elder, month: Month) -> None:
    assert "缺少：能力等级" in sign_in(clerk_a).get(services(elder_a)).content.decode()


def test_before_the_first_month_the_services_say_so(sign_in: SignIn, clerk_a: User, elder_a: Elder) -> None:
    assert "还没有核定过月份" in sign_in(clerk_a).get(services(elder_a)).content.decode()


def test_a_reveal_shows_the_number_and_leaves_an_audit_row(
    sign_in: SignIn, clerk_a: User, elder_a: Elder
) -> None:
    response = sign_in(clerk_a).post(reveal(elder_a), {"reason": "核对身份证原件"})
    assert elder_a.id_number in response.content.decode()
    entry = AuditEntry.objects.get(action="elder_reveal")
    assert (entry.actor, entry.subject, entry.data["reason"]) == (
        clerk_a,
        f"elder:{elder_a.pk}",
        "核对身份证原件",
    )


@pytest.mark.parametrize("reason", ["", "查看", "x" * 101])
def test_without_a_good_reason_the_number_stays_masked(
    sign_in: SignIn, clerk_a: User, elder_a: Elder, reason: str
) -> None:
    response = sign_in(clerk_a).post(reveal(elder_a), {"reason": reason})
    assert elder_a.id_number not in response.content.decode()
    assert not AuditEntry.objects.filter(action="elder_reveal").exists()


def test_the_thirty_first_reveal_of_a_day_is_refused(
    sign_in: SignIn, clerk_a: User, elder_a: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elder_views, "REVEALS_A_DAY", 1)
    client = sign_in(clerk_a)
    assert elder_a.id_number in client.post(reveal(elder_a), {"reason": "核对身份证原件"}).content.decode()
    assert (
        elder_a.id_number not in client.post(reveal(elder_a), {"reason": "核对身份证原件"}).content.decode()
    )


@pytest.mark.django_db(transaction=True)
def test_of_several_reveals_at_once_one_is_the_last_of_the_day(
    sign_in: SignIn, clerk_a: User, elder_a: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elder_views, "REVEALS_A_DAY", 1)
    posts = [partial(sign_in(clerk_a).post, reveal(elder_a), {"reason": "核对身份证原件"}) for _ in range(4)]
    assert raised(at_once(*posts)) == []
    assert AuditEntry.objects.filter(action="elder_reveal").count() == 1
