"""The phone's background routes: who may use them, what they refuse, what they answer."""

import io
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from catalog.models import Document, VisitTier
from eldercare.models import Elder
from operations.crypto import encrypt
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Area, User
from tests.conftest import COUNTY, TOWN_A, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn
from tests.portal.phones import post, sync_body
from tests.registry import make_elder
from tests.visits.phones import record
from visits.models import Obligation, Visit, VisitPhoto

PHOTO = "/m/photos/8f14e45f-ceea-467f-9a6b-3c1d2b7a9e01/?visit=c9f0f895-fb98-4b91-a5d3-7e6f4d2b8c02"
ROUTES = [
    ("GET", "/m/data/"),
    ("POST", "/m/sync/"),
    ("PUT", PHOTO),
    ("POST", "/m/replay/"),
    ("POST", "/m/call/"),
]


@pytest.fixture
def worker(county: Area) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A)


@pytest.fixture
def phone(sign_in: SignIn, worker: User) -> Client:
    """The worker's client."""
    return sign_in(worker)


def jpeg() -> bytes:
    """A small photo."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize(("method", "url"), ROUTES)
def test_a_stranger_is_told_to_sign_in_and_not_sent_away(
    client: Client, db: None, method: str, url: str
) -> None:
    response = client.generic(method, url, b"{}", content_type="application/json")
    assert response.status_code == 401
    assert response.json() == {"detail": "登录已过期，请重新登录；没有上传的记录还在手机里"}


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.VILLAGE_WORKER, Role.TOWNSHIP_CLERK}))
@pytest.mark.parametrize(("method", "url"), ROUTES)
def test_who_may_not_record_visits_gets_nothing(
    sign_in: SignIn, county: Area, role: Role, method: str, url: str
) -> None:
    client = sign_in(make_user("other", role, COUNTY))
    response = client.generic(method, url, b"{}", content_type="application/json")
    assert response.status_code == 403
    assert "没有「登记探访」的权限；请系统管理员核对" in response.json()["detail"]


@pytest.mark.parametrize(("method", "url"), ROUTES)
@pytest.mark.parametrize("wrong", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused(phone: Client, method: str, url: str, wrong: str) -> None:
    if wrong == method:
        return
    response = phone.generic(wrong, url, b"{}", content_type="application/json")
    assert (response.status_code, response.headers["Allow"]) == (405, method)
    assert "只接受" in response.json()["detail"]


@pytest.mark.parametrize("url", ["/m/sync/", "/m/replay/", "/m/call/"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"sent_at": NaN}', b"\xff\xfe", b"[" * 100_000, b"9" * 5_000, b'"\\ud800"']
)
def test_what_is_no_json_is_refused_with_a_sentence(phone: Client, url: str, body: bytes) -> None:
    response = phone.generic("POST", url, body, content_type="application/json")
    assert response.status_code in (400, 404)
    detail = response.json()["detail"]
    assert "请" in detail


@pytest.mark.parametrize("body", [[], {}, {"sent_at": "x"}, {"records": []}])
def test_a_sync_without_its_time_is_refused(phone: Client, body: object) -> None:
    status, answer = post(phone, "/m/sync/", body)
    assert status == 400
    assert "请" in answer["detail"]


def test_fifty_records_are_taken_at_once_and_fifty_one_refused(phone: Client) -> None:
    status, answer = post(phone, "/m/sync/", sync_body(*[{}] * 50))
    assert (status, len(answer["results"])) == (200, 50)
    status, answer = post(phone, "/m/sync/", sync_body(*[{}] * 51))
    assert (status, answer["detail"]) == (400, "一次最多上传 50 条记录；请分几次上传")


def test_a_body_above_one_megabyte_is_refused_before_it_is_read(phone: Client) -> None:
    for size, status in ((1024 * 1024, 400), (1024 * 1024 + 1, 413)):
        response = phone.generic("POST", "/m/sync/", b" " * size, content_type="application/json")
        assert response.status_code == status
    assert "超过 1024 KB；请减少每次上传的记录" in response.json()["detail"]


def test_fifty_of_the_longest_records_fit_into_a_body(phone: Client, worker: User, elder_a: Elder) -> None:
    found = [{"code": "码" * 40, "note": "字" * 200}] * 20
    longest = record(elder_a, worker, note="字" * 500, findings=found, corrects=str(uuid4()))
    status, answer = post(phone, "/m/sync/", sync_body(*[longest] * 50))
    assert (status, len(answer["results"])) == (200, 50)


def test_without_its_token_nothing_is_taken_and_with_it_everything(worker: User, elder_a: Elder) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(worker, backend="django.contrib.auth.backends.ModelBackend")
    body = sync_body(record(elder_a, worker, timezone.now()))
    assert client.post("/m/sync/", body, content_type="application/json").status_code == 403
    token = client.get("/m/data/").json()["csrf"]
    status, answer = post(client, "/m/sync/", body, **{"X-CSRFToken": token})
    assert (status, answer["results"][0]["state"]) == (200, "stored")


def test_a_record_is_answered_with_figures_and_a_receipt_that_can_be_given_back(
    phone: Client, worker: User, elder_a: Elder
) -> None:
    sent = record(elder_a, worker, timezone.now() - timedelta(minutes=5))
    status, answer = post(phone, "/m/sync/", sync_body(sent))
    [result] = answer["results"]
    assert (status, answer["replay"], set(answer)) == (
        *(200, False),
        {"server_time", "replay", "figures", "results"},
    )
    assert set(result) == {"id", "state", "reason", "marks", "receipt"}
    assert (result["id"], result["state"], result["marks"]) == (sent["id"], "stored", [])
    assert answer["figures"] == {"obliged": 0, "met": 0, "exempt": 0, "returned": 0}
    given = {"receipts": [result["receipt"]]}
    assert post(phone, "/m/replay/", given) == (200, {"results": [{"id": sent["id"], "state": "known"}]})
    assert Visit.objects.get().recorder == worker


def test_another_users_reference_is_rejected(phone: Client, elder_a: Elder) -> None:
    other = make_user("other", Role.VILLAGE_WORKER, VILLAGE_A)
    _, answer = post(phone, "/m/sync/", sync_body(record(elder_a, other, timezone.now())))
    assert [result["state"] for result in answer["results"]] == ["rejected"]
    status, answer = post(phone, "/m/call/", {"ref": record(elder_a, other)["elder"]})
    assert (status, answer["detail"]) == (404, "名单里没有此人；请刷新名单后再打")


def test_a_post_is_as_many_statements_for_fifty_records_as_for_five(phone: Client, worker: User) -> None:
    post(phone, "/m/sync/", sync_body())  # the session's first request writes more
    counts = []
    for records in (5, 50):
        elders = [make_elder(timezone.localdate().replace(year=1940, day=1)) for _ in range(records)]
        body = sync_body(*[record(elder, worker, timezone.now()) for elder in elders])
        with CaptureQueriesContext(connection) as queries:
            post(phone, "/m/sync/", body)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 40


def test_a_photo_waits_for_its_visit_is_stored_and_then_known(
    phone: Client, worker: User, elder_a: Elder
) -> None:
    sent = record(elder_a, worker, timezone.now())
    url = f"/m/photos/{uuid4()}/?visit={sent['id']}"

    def put() -> tuple[int, dict[str, str]]:
        response = phone.put(url, jpeg(), content_type="image/jpeg")
        return response.status_code, response.json()

    assert put() == (404, {"detail": "探访记录还没有入库；照片留在手机里，稍后再传"})
    post(phone, "/m/sync/", sync_body(sent))
    assert put() == (200, {"state": "stored"})
    assert put() == (200, {"state": "known"})
    assert VisitPhoto.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "content", "status", "said"),
    [
        ("", b"", 400, "visit：不是探访记录编号"),
        ("?visit=1", b"", 400, "visit：不是探访记录编号"),
        ("?visit={visit}", b"no photo", 400, "照片：不是完整的 JPEG 照片；请重新拍摄"),
        ("?visit={visit}", b"x" * (500 * 1024 + 1), 413, "超过 500 KB；请减少"),
    ],
)
def test_a_photo_that_cannot_be_taken_is_refused(
    phone: Client, worker: User, elder_a: Elder, query: str, content: bytes, status: int, said: str
) -> None:
    sent = record(elder_a, worker, timezone.now())
    post(phone, "/m/sync/", sync_body(sent))
    url = f"/m/photos/{uuid4()}/{query.format(visit=sent['id'])}"
    response = phone.put(url, content, content_type="image/jpeg")
    assert response.status_code == status
    assert said in response.json()["detail"]


def test_a_whole_number_is_given_audited_and_sixty_times_a_day(
    phone: Client, worker: User, county: Area
) -> None:
    elder = make_elder(timezone.localdate().replace(year=1940, day=1), hukou=VILLAGE_A)
    Elder.objects.filter(pk=elder.pk).update(phone_cipher=encrypt("13800005678"))
    ref = record(elder, worker)["elder"]
    for _ in range(60):
        assert post(phone, "/m/call/", {"ref": ref}) == (200, {"phone": "13800005678"})
    status, answer = post(phone, "/m/call/", {"ref": ref})
    assert status == 400
    assert "60 次；请明天再看" in answer["detail"]
    entries = AuditEntry.objects.filter(action="查看完整电话", actor=worker, subject=f"elder:{elder.pk}")
    assert entries.count() == 60


def test_who_has_no_number_cannot_be_called(phone: Client, worker: User, elder_a: Elder) -> None:
    status, answer = post(phone, "/m/call/", {"ref": record(elder_a, worker)["elder"]})
    assert status == 400
    assert "没有登记" in answer["detail"]


def test_who_lives_elsewhere_and_was_given_to_the_worker_can_be_called(phone: Client, worker: User) -> None:
    elder = make_elder(timezone.localdate().replace(year=1940, day=1), hukou=VILLAGE_B)
    Elder.objects.filter(pk=elder.pk).update(phone_cipher=encrypt("13800005678"))
    ref = record(elder, worker)["elder"]
    assert post(phone, "/m/call/", {"ref": ref})[0] == 404
    month = timezone.localdate().replace(day=1)
    listed = Document.objects.create(code="test", title="测试清单", issued=month, area_id=COUNTY)
    tier = VisitTier.objects.create(
        document=listed,
        code="month",
        rule="居住在本县",
        times=1,
        per="月",
        modes=["上门"],
        order=1,
        valid=(month, None),
    )
    values = {"tier": tier, "due": 1, "area_code": VILLAGE_B, "assignee": worker}
    Obligation.objects.create(month=month, county_code=COUNTY, elder=elder, **values)
    assert post(phone, "/m/call/", {"ref": ref}) == (200, {"phone": "13800005678"})


def test_who_moved_away_can_no_longer_be_called(phone: Client, worker: User, elder_a: Elder) -> None:
    ref = record(elder_a, worker)["elder"]
    Elder.objects.filter(pk=elder_a.pk).update(hukou_code=TOWN_A, residence_code="530322102201")
    assert post(phone, "/m/call/", {"ref": ref})[0] == 404
