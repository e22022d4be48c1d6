"""Single lines on the pages: holds and objections, each sent twice, and the public notice that they answer to."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from subsidies.choices import PaymentState
from subsidies.models import Batch, Objection, Payment, PaymentTerms
from subsidies.services.batch_step import batch_approve
from tests.conftest import COUNTY, TOWN_A, VILLAGE_A, make_user
from tests.portal.conftest import SignIn


@pytest.fixture
def noticed(checked: Batch, chief: User) -> Batch:
    """Approved and on public notice from today on, for 7 days after it."""
    PaymentTerms.objects.update(notice_days=7)
    return batch_approve(batch_id=checked.pk, actor=chief)


def line_of(batch: Batch, elder: Elder) -> Payment:
    """The elder's line."""
    return Payment.objects.get(batch=batch, elder=elder)


def url_of(line: Payment, step: str = "") -> str:
    """The address of a line's page or step."""
    return f"/payments/{line.batch_id}/lines/{line.number}/{step}"


def test_an_objection_holds_its_line_alone(
    sign_in: SignIn, clerk_a: User, noticed: Batch, elder_a: Elder, elder_b: Elder
) -> None:
    client, line = sign_in(clerk_a), line_of(noticed, elder_a)
    for _ in range(2):
        assert client.post(url_of(line, "objection/"), {"text": "已迁往外地"}).status_code == 302
    assert Objection.objects.count() == 1
    assert line_of(noticed, elder_a).state == PaymentState.HELD
    assert line_of(noticed, elder_b).state == PaymentState.PENDING


def test_an_objection_without_a_text_is_refused_and_one_outside_the_area_not_found(
    sign_in: SignIn, clerk_a: User, noticed: Batch, elder_a: Elder, elder_b: Elder
) -> None:
    client = sign_in(clerk_a)
    response = client.post(url_of(line_of(noticed, elder_a), "objection/"), {"text": " "})
    assert (response.status_code, "请填写异议内容" in response.content.decode()) == (409, True)
    url = url_of(line_of(noticed, elder_b), "objection/")
    assert client.post(url, {"text": "外地"}).status_code == 404


def objected(client: Client, line: Payment) -> Objection:
    """An objection to the line, taken down on its page."""
    client.post(url_of(line, "objection/"), {"text": "已迁往外地"})
    return Objection.objects.get(payment=line)


@pytest.mark.parametrize(("upheld", "state"), [("1", PaymentState.VOID), ("0", PaymentState.PENDING)])
def test_an_objection_is_decided_once(
    sign_in: SignIn,
    clerk_a: User,
    chief: User,
    noticed: Batch,
    elder_a: Elder,
    upheld: str,
    state: PaymentState,
) -> None:
    line = line_of(noticed, elder_a)
    objection = objected(sign_in(clerk_a), line)
    client, url = sign_in(chief), url_of(line, f"objection/{objection.pk}/")
    assert client.post(url, {"upheld": "x"}).status_code == 409
    kept = client.post(url, {"upheld": upheld, "finding": ""})
    assert (kept.status_code, "请填写处理结果" in kept.content.decode()) == (409, True)
    for _ in range(2):
        assert client.post(url, {"upheld": upheld, "finding": "入户核实"}).status_code == 302
    assert line_of(noticed, elder_a).state == state


def test_who_took_an_objection_down_does_not_decide_it(
    sign_in: SignIn, clerk_a: User, noticed: Batch, elder_a: Elder
) -> None:
    clerk_a.assignments.create(role=Role.BUREAU_CHIEF, area_id=COUNTY)
    client, line = sign_in(clerk_a), line_of(noticed, elder_a)
    objection = objected(client, line)
    text = client.get(url_of(line)).content.decode()
    assert "不成立，照发" not in text
    response = client.post(url_of(line, f"objection/{objection.pk}/"), {"upheld": "0", "finding": "核实"})
    assert response.status_code == 409


def test_a_line_is_held_and_released_with_reasons(
    sign_in: SignIn, lead_a: User, submitted: Batch, elder_a: Elder
) -> None:
    client, line = sign_in(lead_a), line_of(submitted, elder_a)
    assert client.post(url_of(line, "hold/"), {"reason": ""}).status_code == 409
    for _ in range(2):
        assert client.post(url_of(line, "hold/"), {"reason": "账户在核对"}).status_code == 302
    assert line_of(submitted, elder_a).state == PaymentState.HELD
    assert "解除暂缓" in client.get(url_of(line)).content.decode()
    for _ in range(2):
        assert client.post(url_of(line, "release/"), {"why": "已核对"}).status_code == 302
    assert line_of(submitted, elder_a).state == PaymentState.PENDING


def test_the_auditor_holds_nothing(sign_in: SignIn, submitted: Batch, elder_a: Elder) -> None:
    client, line = sign_in(make_user("auditor", Role.SUPERVISOR, COUNTY)), line_of(submitted, elder_a)
    for step, data in (
        ("hold/", {"reason": "不对"}),
        ("release/", {"why": "对"}),
        ("objection/", {"text": "外地"}),
    ):
        response = client.post(url_of(line, step), data)
        assert (response.status_code, "没有办理这一行的权限" in response.content.decode()) == (409, True), (
            step
        )
    assert client.post(url_of(line, "objection/1/")).status_code == 403
    assert line_of(submitted, elder_a).state == PaymentState.PENDING


@pytest.mark.parametrize("step", ["hold/", "release/", "objection/", "objection/1/"])
def test_steps_of_a_line_are_taken_by_post_alone(
    sign_in: SignIn, chief: User, submitted: Batch, elder_a: Elder, step: str
) -> None:
    assert sign_in(chief).get(url_of(line_of(submitted, elder_a), step)).status_code == 405


def notice_url(batch: Batch) -> str:
    """The public address."""
    return f"/public/notices/{batch.notice_key}/"


def test_a_stranger_reads_the_notice_with_whitelisted_fields_alone(
    client: Client, noticed: Batch, elder_a: Elder
) -> None:
    text = client.get(notice_url(noticed)).content.decode()
    assert "甲镇" in text
    assert "赵" not in text
    village = client.get(notice_url(noticed), {"area": VILLAGE_A})
    text = village.content.decode()
    for shown in ("赵*梅", "项目A1", "2026年3月", "50.00", "甲一村"):
        assert shown in text
    for hidden in (
        "赵春梅",
        elder_a.masked_id_number,
        elder_a.id_last4,
        "****",
        "测试农商行",
        "低保",
        "1942",
    ):
        assert hidden not in text, hidden
    assert "noindex" in village.headers["X-Robots-Tag"]
    assert '<meta name="robots" content="noindex">' in text
    assert "no-store" in village.headers["Cache-Control"]


def test_a_township_shows_its_villages_and_no_names(client: Client, noticed: Batch) -> None:
    text = client.get(notice_url(noticed), {"area": TOWN_A[:9]}).content.decode()
    assert "甲一村" in text
    assert "赵" not in text


@pytest.mark.parametrize("area", ["530322199", "530322199201", "5303", "x", "outside", "赵春梅"])
def test_a_place_that_is_not_in_the_list_is_not_found(client: Client, noticed: Batch, area: str) -> None:
    assert client.get(notice_url(noticed), {"area": area}).status_code == 404


@pytest.mark.parametrize(
    ("first", "last", "status"), [(0, 0, 200), (-7, -1, 404), (1, 7, 404), (-7, 0, 200), (0, 7, 200)]
)
def test_the_notice_is_open_from_its_first_to_its_last_day(
    client: Client, noticed: Batch, first: int, last: int, status: int
) -> None:
    today: date = timezone.localdate()
    Batch.objects.filter(pk=noticed.pk).update(
        notice_from=today + timedelta(days=first), notice_until=today + timedelta(days=last)
    )
    response = client.get(notice_url(noticed))
    assert response.status_code == status
    assert ("公示已结束" in response.content.decode()) == (status == 404)


def test_an_unknown_notice_says_that_it_is_over_and_takes_no_posts(client: Client, noticed: Batch) -> None:
    response = client.get(f"/public/notices/{uuid4()}/")
    assert (response.status_code, "公示已结束" in response.content.decode()) == (404, True)
    assert client.post(notice_url(noticed)).status_code == 405


def test_the_record_lists_what_was_paid(
    sign_in: SignIn, bureau_clerk: User, submitted: Batch, elder_a: Elder
) -> None:
    text = sign_in(bureau_clerk).get(f"/elders/{elder_a.pk}/").content.decode()
    assert url_of(line_of(submitted, elder_a)) in text
