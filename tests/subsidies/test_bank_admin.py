"""Bank file formats in the admin: the data administrator's own county, checked, in Chinese, audited."""

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Area, User
from subsidies.models import BankProfile
from subsidies.services.bank_profile import bank_profiles_ensure, shipped_profiles
from tests.conftest import COUNTY, TOWN_A, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("county")]
BASE = "/admin/subsidies/bankprofile/"
OTHER = "610304000000"
SCRIPT = re.compile(r"<(script|style|svg|textarea).*?</\1>", re.DOTALL)
ENGLISH = re.compile(r">[^<>]*[A-Za-z]{3,}[^<>]*<")


def signed_in(role: Role = Role.DATA_ADMIN, area: str = COUNTY) -> Client:
    user = make_user(f"keeper-{role}-{area}", role, area)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def fields(**given: Any) -> dict[str, str]:
    shipped = shipped_profiles()[1]
    filled: dict[str, Any] = {"county_code": COUNTY, "name": "农商行", "active": "on"}
    filled |= {"layout": shipped["layout"], "return_layout": shipped["return_layout"]} | given
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in filled.items()}


def text(response: Any) -> str:
    return html.unescape(response.content.decode())


def test_the_data_administrator_adds_a_format_of_the_county() -> None:
    assert signed_in().post(f"{BASE}add/", fields()).status_code == 302
    profile = BankProfile.objects.get()
    assert (profile.county_code, profile.name, profile.active) == (COUNTY, "农商行", True)
    entry = AuditEntry.objects.get(action="新增银行文件格式")
    assert entry.data["after"]["name"] == "农商行"


def test_a_change_is_audited_with_what_was_before() -> None:
    client = signed_in()
    client.post(f"{BASE}add/", fields())
    profile = BankProfile.objects.get()
    client.post(f"{BASE}{profile.pk}/change/", fields(name="信用社"))
    entry = AuditEntry.objects.get(action="修改银行文件格式")
    assert (entry.data["before"]["name"], entry.data["after"]["name"]) == ("农商行", "信用社")


def test_a_faulty_layout_is_refused_naming_the_keys() -> None:
    layout = shipped_profiles()[1]["layout"] | {"delimiter": "||", "unit": "角"}
    page = signed_in().post(f"{BASE}add/", fields(layout=layout, return_layout={"format": "csv"}))
    for fault in (
        "delimiter：应是一个分隔符",
        "unit：应是 元、分 之一",
        "columns：应是 {列: 表头名称或位置}",
    ):
        assert fault in text(page)
    assert not BankProfile.objects.exists()


def test_what_is_no_json_is_refused_and_kept_on_the_page() -> None:
    page = signed_in().post(f"{BASE}add/", fields(layout="{格式"))
    assert page.status_code == 200 and "{格式" in text(page)
    assert not BankProfile.objects.exists()


def test_a_new_format_begins_as_a_shipped_one_that_can_be_read() -> None:
    page = text(signed_in().get(f"{BASE}add/"))
    assert '"field": "account"' in page and "批次号" in page


def test_formats_of_other_counties_are_not_there() -> None:
    Area.objects.create(code=OTHER, name="别县")
    bank_profiles_ensure(county_code=OTHER)
    client = signed_in()
    theirs = BankProfile.objects.filter(county_code=OTHER)[0]
    assert "别县" not in text(client.get(BASE))
    assert client.get(f"{BASE}{theirs.pk}/change/").status_code == 302
    assert client.post(f"{BASE}add/", fields(county_code=OTHER)).status_code == 200
    assert not BankProfile.objects.filter(name="农商行").exists()


def test_a_township_s_data_administrator_has_no_county_to_choose() -> None:
    page = signed_in(area=TOWN_A).post(f"{BASE}add/", fields())
    assert page.status_code == 200 and not BankProfile.objects.exists()


@pytest.mark.parametrize("role", [Role.FINANCE, Role.BUREAU_CLERK, Role.SYSTEM_ADMIN])
def test_others_have_no_access(role: Role) -> None:
    assert signed_in(role).get(BASE).status_code == 403


def test_nothing_is_deleted() -> None:
    bank_profiles_ensure(county_code=COUNTY)
    profile = BankProfile.objects.all()[0]
    assert signed_in().post(f"{BASE}{profile.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_pages_are_chinese() -> None:
    bank_profiles_ensure(county_code=COUNTY)
    client, profile = signed_in(), BankProfile.objects.all()[0]
    for path in (BASE, f"{BASE}add/", f"{BASE}{profile.pk}/change/"):
        words = ENGLISH.findall(SCRIPT.sub("", text(client.get(path))))
        assert [w for w in words if "JSON 对象" not in w and "Excel" not in w and "GB" not in w] == []
