"""One record of a visit with its photos, sending records back, and the download."""

import csv
import io
import re
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from eldercare.models import Elder
from operations.models import AuditEntry
from organization.choices import Permission, Role
from organization.grants import GRANTS
from organization.models import Area, User
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn
from tests.portal.visits import owe, photo, visit
from tests.registry import make_elder
from visits.models import Finding, Signal, Visit, VisitMonth, VisitReturn
from visits.services.visit_return import PHRASES

LIST = "/visits/records/"
MARCH_DAYS = "day_from=2026-03-01&day_to=2026-03-31"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: Settings) -> Path:
    """Keep photos of a test in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def lead(county: Area) -> User:
    """Lead of 甲镇, who may send records back."""
    return make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)


@pytest.fixture
def worker(county: Area) -> User:
    """Worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A)


@pytest.fixture
def record(elder_a: Elder, worker: User) -> Visit:
    """A record about the elder of 甲镇."""
    return visit(elder_a, recorder=worker, note="老人精神很好")


def detail(record: Visit) -> str:
    return reverse("portal:visit-record-detail", args=[record.pk])


def _signal(record: Visit) -> None:
    Signal.objects.create(visit=record, kind="模拟定位", detail="定位精度为 0")


def test_a_record_says_who_when_where_and_what_was_found(
    sign_in: SignIn, lead: User, elder_a: Elder, worker: User
) -> None:
    place: dict[str, Any] = {"latitude": 25.031234, "longitude": 103.662345, "accuracy": 12.0}
    record = visit(elder_a, recorder=worker, risk="黄", clock_offset=-780, device_at=timezone.now(), **place)
    Finding.objects.create(visit=record, code="S1", name="电线老化", group="安全", risk="黄")
    _signal(record)
    stored, _ = photo(record)
    text = sign_in(lead).get(detail(record)).content.decode()
    for words in ("北纬 25.031234", "精度 12 米", "快 13 分钟", "电线老化", "定位精度为 0", str(stored.pk)):
        assert words in text


def test_a_record_shows_the_others_of_the_day_with_time_and_distance(
    sign_in: SignIn, lead: User, elder_a: Elder, worker: User
) -> None:
    here = {"latitude": 25.0, "longitude": 103.0, "accuracy": 9.0, "recorder": worker}
    record = visit(elder_a, "2026-03-10 10:00", **here)
    other = make_elder(date(1940, 1, 1), hukou=VILLAGE_A)
    visit(other, "2026-03-10 10:03", **(here | {"latitude": 25.02}))
    visit(other, "2026-03-11 00:00", **here)
    text = sign_in(lead).get(detail(record)).content.decode()
    assert "晚 3 分钟" in text and "2.2 公里" in text
    assert '当天的其他记录</h2><span class="aside">1 条' in text


def test_a_correction_and_what_it_corrects_lead_to_each_other(
    sign_in: SignIn, lead: User, record: Visit
) -> None:
    correction = visit(record.elder, corrects=record.pk)
    client = sign_in(lead)
    assert detail(correction) in client.get(detail(record)).content.decode()
    assert detail(record) in client.get(detail(correction)).content.decode()


def test_health_is_shown_only_to_who_may_see_the_elder(
    sign_in: SignIn, record: Visit, reader_a: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    Finding.objects.create(visit=record, code="H1", name="血压很高", group="健康")
    Finding.objects.create(visit=record, code="S1", name="电线老化", group="安全")
    client = sign_in(reader_a)
    assert "血压很高" in client.get(detail(record)).content.decode()
    monkeypatch.setitem(GRANTS, Role.SUPERVISOR, frozenset({Permission.SIGNED_IN, Permission.VISIT_VIEW}))
    text = client.get(detail(record)).content.decode()
    assert "电线老化" in text and "血压很高" not in text


def test_a_record_of_another_township_is_not_there(sign_in: SignIn, clerk_b: User, record: Visit) -> None:
    assert sign_in(clerk_b).get(detail(record)).status_code == 404


@pytest.mark.parametrize("role", [Role.FINANCE, Role.DEPARTMENT, Role.DATA_ADMIN, Role.SYSTEM_ADMIN])
def test_who_has_nothing_to_do_with_visits_sees_neither_records_nor_photos(
    sign_in: SignIn, record: Visit, role: Role
) -> None:
    client = sign_in(make_user("other", role, COUNTY))
    stored, _ = photo(record)
    urls = (LIST, detail(record), reverse("portal:visit-photo", args=[stored.pk]))
    assert {client.get(url).status_code for url in urls} == {403}


@pytest.mark.parametrize("name", ["visit-record-find", "visit-records-return"])
def test_what_changes_something_is_not_read(sign_in: SignIn, lead: User, name: str) -> None:
    assert sign_in(lead).get(reverse(f"portal:{name}")).status_code == 405


@pytest.mark.parametrize("url", [LIST, f"{LIST}export.csv"])
def test_what_is_read_takes_no_post(sign_in: SignIn, lead: User, url: str) -> None:
    assert sign_in(lead).post(url).status_code == 405


def test_a_photo_is_shown_as_it_was_taken_and_kept_out_of_caches(
    sign_in: SignIn, lead: User, record: Visit
) -> None:
    stored, content = photo(record)
    response = sign_in(lead).get(reverse("portal:visit-photo", args=[stored.pk]))
    assert (response.status_code, response.content) == (200, content)
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["Content-Disposition"].startswith("inline;")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


def test_a_photo_of_another_township_or_of_none_is_not_there(
    sign_in: SignIn, clerk_b: User, record: Visit
) -> None:
    stored, _ = photo(record)
    client = sign_in(clerk_b)
    for pk in (stored.pk, uuid4()):
        assert client.get(reverse("portal:visit-photo", args=[pk])).status_code == 404


def send_back(client: Client, **given: object) -> Any:
    return client.post(reverse("portal:visit-records-return"), given)


def test_one_record_is_returned_by_its_phrase(sign_in: SignIn, lead: User, record: Visit) -> None:
    response = send_back(sign_in(lead), one=f"{record.pk}:1", filters=MARCH_DAYS)
    assert response.headers["Location"] == f"{LIST}?{MARCH_DAYS}"
    assert VisitReturn.objects.get().reason == PHRASES[1]


def test_ticked_records_are_returned_for_one_s_own_words(sign_in: SignIn, lead: User, record: Visit) -> None:
    other = visit(record.elder, "2026-03-11 10:00")
    client = sign_in(lead)
    send_back(client, record=[record.pk, other.pk], reason="两次都写错了")
    assert VisitReturn.objects.filter(reason="两次都写错了").count() == 2
    assert "已退回 2 条" in client.get(LIST).content.decode()


def test_a_record_of_a_locked_month_is_kept_and_the_way_out_is_said(
    sign_in: SignIn, lead: User, record: Visit
) -> None:
    owe(record.elder)
    VisitMonth.objects.create(month=date(2026, 3, 1), county_code=COUNTY, area_code=TOWN_A, state="已提交")
    client = sign_in(lead)
    send_back(client, one=f"{record.pk}:0", back=record.pk)
    assert "甲镇2026年3月的探访月报已经提交" in client.get(detail(record)).content.decode()
    assert not VisitReturn.objects.exists()


@pytest.mark.parametrize("back", [False, True], ids=["from the list", "from the record"])
def test_a_bad_reason_is_refused_and_what_was_typed_and_ticked_stays(
    sign_in: SignIn, lead: User, record: Visit, back: bool
) -> None:
    given: dict[str, object] = {"record": record.pk, "reason": "错了", "filters": MARCH_DAYS}
    response = send_back(sign_in(lead), **(given | ({"back": record.pk} if back else {})))
    text = response.content.decode()
    assert response.status_code == 409
    assert "4 到 200 个字" in text and 'value="错了"' in text
    assert back or re.search(rf'value="{record.pk}"[^>]* checked', text)
    assert not VisitReturn.objects.exists()


@pytest.mark.parametrize(
    "given", [{}, {"record": "x"}, {"one": "x:0"}], ids=["nothing", "no key", "no key with it"]
)
def test_a_return_of_nothing_is_told_so(sign_in: SignIn, lead: User, given: dict[str, str]) -> None:
    response = send_back(sign_in(lead), reason="写错了时间", **given)
    assert response.status_code == 409 and "没有选中记录" in response.content.decode()


def test_a_record_of_another_township_is_not_there_to_be_returned(
    sign_in: SignIn, record: Visit, county: Area
) -> None:
    other = make_user("lead_b", Role.TOWNSHIP_LEAD, TOWN_B)
    assert send_back(sign_in(other), one=f"{record.pk}:0").status_code == 404


@pytest.mark.parametrize(
    "role", [Role.TOWNSHIP_CLERK, Role.VILLAGE_WORKER, Role.SUPERVISOR, Role.BUREAU_CHIEF]
)
def test_a_reader_cannot_return_and_is_not_offered_it(sign_in: SignIn, record: Visit, role: Role) -> None:
    client = sign_in(make_user("other", role, VILLAGE_A if role == Role.VILLAGE_WORKER else TOWN_A))
    assert send_back(client, one=f"{record.pk}:0").status_code == 403
    assert "退回所选" not in client.get(f"{LIST}?{MARCH_DAYS}").content.decode()


def test_the_download_is_the_list_masked_and_audited(sign_in: SignIn, lead: User, record: Visit) -> None:
    Finding.objects.create(visit=record, code="H1", name="血压很高", group="健康")
    visit(make_elder(date(1940, 1, 1), hukou=VILLAGE_B), "2026-03-11 10:00")
    response = sign_in(lead).get(f"{LIST}export.csv?{MARCH_DAYS}")
    content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]  # streamed
    (row,) = csv.DictReader(io.StringIO(content))
    assert (row["姓名"], row["结果"], row["发现"]) == ("赵春梅", "见到本人", "1")
    assert "********" in row["证件号码"] and "血压" not in content
    assert AuditEntry.objects.get(action="导出探访记录").data["rows"] == 1


def test_the_download_declares_the_right_to_export() -> None:
    view = resolve(f"{LIST}export.csv").func
    assert getattr(view, "permission", None) == Permission.ELDER_EXPORT


def test_who_may_export_elders_but_sees_no_visits_downloads_none(sign_in: SignIn, record: Visit) -> None:
    client = sign_in(make_user("data", Role.DATA_ADMIN, COUNTY))
    response = client.get(f"{LIST}export.csv?{MARCH_DAYS}")
    content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]  # streamed
    assert "姓名" in content and list(csv.DictReader(io.StringIO(content))) == []


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.FINANCE, Role.DEPARTMENT])
def test_who_sees_no_list_of_elders_gets_no_download(sign_in: SignIn, record: Visit, role: Role) -> None:
    assert sign_in(make_user("other", role, COUNTY)).get(f"{LIST}export.csv").status_code == 403


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.VILLAGE_WORKER])
def test_who_may_not_export_gets_no_download(sign_in: SignIn, record: Visit, role: Role) -> None:
    client = sign_in(make_user("other", role, VILLAGE_A))
    assert client.get(f"{LIST}export.xlsx").status_code == 403
    assert "Excel" not in client.get(LIST).content.decode()


def test_the_elder_s_page_leads_to_the_record_and_counts_its_photos(
    sign_in: SignIn, lead: User, elder_a: Elder, worker: User
) -> None:
    record = visit(elder_a, f"{timezone.localdate()} 00:01", recorder=worker)
    photo(record)
    url = reverse("portal:elder-detail", args=[elder_a.pk])
    text = sign_in(lead).get(url).content.decode()
    assert detail(record) in text and "照片 1 张" in text
    text = sign_in(make_user("data", Role.DATA_ADMIN, COUNTY)).get(url).content.decode()
    assert detail(record) not in text
