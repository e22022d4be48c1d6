"""What a phone keeps, of whom, and for how long: sealed, one user's at a time, wiped at the end."""

import pytest
from django.db import connection

from organization.choices import Role
from organization.models import User
from portal.views import phone_pages
from tests.conftest import VILLAGE_A, make_user
from tests.portal.browser import MARKS
from tests.portal.phone import NAMES, SIZE, Phone, elder_named
from visits.models import Obligation, Visit
from visits.services.visit_return import visits_return

pytestmark = MARKS

HOUR = 3600 * 1000
#: Everything that lies in the phone's database and caches, as text, keys left out.
EVERYTHING = """async () => {
  let text = "";
  for (const table of ["users", "lists", "records", "photos", "receipts", "marks"]) {
    for (const row of await Store.all(table)) {
      for (const value of Object.values(row)) {
        if (value && value.bytes) {
          text += new TextDecoder("utf-8").decode(value.bytes) + new TextDecoder("utf-16le").decode(value.bytes);
        } else if (!(value instanceof CryptoKey)) { text += JSON.stringify(value); }
      }
    }
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) { text += await (await cache.match(request)).text(); }
  }
  return text + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie;
}"""


def seen(phone: Phone, name: str) -> None:
    """Record that somebody was seen at home and is well."""
    phone.open(name)
    phone.chip("见到本人")
    phone.chip("平安")
    phone.save()


def age(phone: Phone, hours: float) -> None:
    """Make the list as old as if the last successful pull had been so many hours ago."""
    phone.page.evaluate(
        """async (past) => {
          for (const row of await Store.all("lists")) {
            await Store.put("lists", Object.assign(row, {at: row.at - past}));
          }
        }""",
        hours * HOUR,
    )


def test_what_lies_in_the_phone_names_nobody(phone: Phone) -> None:
    phone.open(NAMES[1])
    phone.chip("见到本人")
    phone.see("草稿已自动保存")
    phone.tap("#back")
    phone.cut()
    seen(phone, NAMES[0])
    stored = phone.page.evaluate(EVERYTHING)
    assert len(stored) > 20_000  # the list, two records and the app itself were looked at
    for word in (*NAMES, "甲一村", "甲二村", "11 号", "见到本人，", "村（社区）协管员一", "199****"):
        assert word not in stored, word
    phone.cut(False)
    phone.see("已入库 1 条")


def test_the_key_never_leaves_the_phone(phone: Phone) -> None:
    with pytest.raises(Exception, match="not extractable"):
        phone.page.evaluate("async () => crypto.subtle.exportKey('raw', (await Store.all('users'))[0].key)")


def test_signing_out_is_refused_while_something_waits_and_wipes_everything_after(phone: Phone) -> None:
    phone.cut()
    seen(phone, NAMES[0])
    phone.go("我的")
    phone.chip("退出登录")
    phone.see("还有 1 条待上传")
    assert phone.looked("refused") == []
    assert phone.page.url.endswith("/m/")
    phone.chip("现在上传")
    phone.see("还有 1 条待上传")
    phone.cut(False)
    phone.see("已入库 1 条")
    phone.settled()
    phone.chip("退出登录")
    phone.page.wait_for_url("**/m/login/")
    phone.page.wait_for_selector("input[name=password]")
    phone.page.goto("/m/")  # the server has forgotten the session as well
    phone.page.wait_for_url("**/m/login/")
    phone.cut()
    phone.page.goto("/m/")
    phone.see("第一次使用需要网络")
    assert {
        table: len(phone.rows(table)) for table in ("users", "lists", "records", "photos", "receipts")
    } == {
        "users": 0,
        "lists": 0,
        "records": 0,
        "photos": 0,
        "receipts": 1,  # sealed by the server, for the day on which it is restored from an older backup
    }


def test_a_draft_also_keeps_one_from_signing_out(phone: Phone) -> None:
    phone.open(NAMES[0])
    phone.chip("见到本人")
    phone.see("草稿已自动保存")
    phone.tap("#back")
    phone.go("我的")
    phone.chip("退出登录")
    phone.see("还有 1 条草稿")
    assert not phone.page.locator("main button:text-is('现在上传')").count()
    phone.chip("查看这些记录")
    phone.tap(".card:has-text('草稿')")
    phone.chip("删除草稿")
    assert phone.looked("drop") == []
    phone.chip("删除")
    phone.go("我的")
    phone.chip("退出登录")
    phone.page.wait_for_url("**/m/login/")


@pytest.mark.parametrize(("hours", "kept"), [(71.9, True), (72.1, False)])
def test_the_list_is_wiped_72_hours_after_the_last_pull_and_what_waits_is_kept(
    phone: Phone, hours: float, kept: bool
) -> None:
    phone.cut()
    seen(phone, NAMES[0])
    age(phone, hours)
    phone.kill()
    phone.start(offline=True)
    phone.page.goto("/m/")
    phone.see("待上传 1")
    if kept:
        phone.see(NAMES[1])
    else:
        phone.see("名单超过 72 小时没有更新")
        assert phone.rows("lists") == []
        assert phone.looked("wiped") == []
    phone.cut(False)
    phone.page.wait_for_selector(".waiting:not(.some)")
    phone.see(NAMES[1])
    assert Visit.objects.get().elder.name == NAMES[0]


def test_the_list_is_wiped_while_the_app_stays_open(phone: Phone) -> None:
    phone.page.clock.install()
    phone.page.reload()
    phone.settled()
    phone.cut()
    phone.page.clock.fast_forward(72 * HOUR + 120_000)
    phone.see("名单超过 72 小时没有更新")
    assert phone.rows("lists") == []


def test_a_second_user_sees_nothing_of_the_first_but_whose_records_wait(phone: Phone, visitor: User) -> None:
    other = make_user("other", Role.VILLAGE_WORKER, VILLAGE_A)
    other.full_name = "刘二"
    other.save()
    Obligation.objects.filter(elder__name=NAMES[7]).update(assignee=other)
    phone.cut()
    seen(phone, NAMES[0])
    phone.page.wait_for_timeout(1500)
    phone.context.route("**/m/sync/", lambda route: route.abort())
    phone.cut(False)
    phone.page.goto("/m/login/")
    phone.page.fill("input[name=username]", other.username)
    phone.page.fill("input[name=password]", "Sunny-Hills-2026")
    phone.page.click("form button")
    phone.see(f"这部手机里还有{visitor}的 1 条记录没有上传")
    phone.context.unroute("**/m/sync/")
    phone.page.reload()
    phone.see(NAMES[7])
    phone.settled()
    body = phone.page.inner_text("body")
    assert [name for name in NAMES if name in body] == [NAMES[7]]
    assert [row["user"] for row in phone.rows("lists")] != [row["user"] for row in phone.rows("records")]
    assert Visit.objects.count() == 0
    phone.sign_in(visitor)
    phone.page.wait_for_selector(".waiting:not(.some)")
    assert Visit.objects.get().recorder == visitor
    phone.faults = [fault for fault in phone.faults if "403 (Forbidden)" not in fault]


def test_a_record_sent_back_is_mended_in_at_most_three_taps(phone: Phone, bureau_clerk: User) -> None:
    seen(phone, NAMES[0])
    phone.see("已入库 1 条")
    old = Visit.objects.get()
    visits_return(visit_ids=[old.pk], reason="照片与本人不符", actor=bureau_clerk)
    phone.tap(".waiting")
    phone.see("1 条记录被退回")
    phone.go("已访")
    phone.see("照片与本人不符")
    assert phone.looked("done") == []
    phone.taps = 0
    phone.tap(".card:has-text('被退回')")
    phone.chip("外出")
    phone.save()
    assert phone.taps <= 3
    phone.see("已入库 1 条")
    assert Visit.objects.exclude(pk=old.pk).values_list("corrects", "result").get() == (old.pk, "外出")


def test_a_restored_server_is_given_back_what_it_lost(phone: Phone) -> None:
    for name in NAMES[:3]:
        seen(phone, name)
        phone.see("已入库 1 条")
        phone.page.wait_for_selector(".waiting:not(.some)")
    before = set(Visit.objects.values_list("pk", "elder_id", "at", "result", "recorder_id", "recorded_at"))
    with (
        connection.cursor() as cursor
    ):  # as an older backup would have it: visits cannot be deleted otherwise
        cursor.execute("TRUNCATE visits_visit CASCADE")
    with phone.page.expect_response("**/m/replay/"):
        phone.tap(".waiting")
    phone.settled()
    assert (
        set(Visit.objects.values_list("pk", "elder_id", "at", "result", "recorder_id", "recorded_at"))
        == before
    )


def test_every_screen_fits_and_has_no_serious_accessibility_fault(phone: Phone) -> None:
    found = phone.looked("today")
    phone.cut()
    seen(phone, NAMES[0])
    phone.page.wait_for_timeout(1500)
    found += phone.looked("today-waiting")
    for tab, name in (("已访", "done-waiting"), ("我的", "me")):
        phone.go(tab)
        found += phone.looked(name)
    phone.go("今日")
    steps = {"form": (), "form-well": ("见到本人", "平安"), "form-findings": ("有情况", "跌倒受伤")}
    phone.open(NAMES[1])
    for name, choices in steps.items():
        for choice in choices:
            phone.chip(choice)
        found += phone.looked(name)
    phone.tap("#back")
    phone.open(NAMES[2])
    phone.chip("已故")
    phone.chip("今天")
    found += phone.looked("confirm")
    phone.chip("返回修改")
    phone.tap("#back")
    phone.tap(".find button:has-text('电话连访')")
    found += phone.looked("call")
    phone.cut(False)
    phone.page.goto("/m/login/")
    found += phone.looked("login")
    assert found == []
    assert phone.page.evaluate("document.documentElement.clientWidth") == SIZE["width"]


def test_a_name_is_found_and_a_village_chosen_on_the_phone_itself(phone: Phone) -> None:
    phone.cut()
    phone.page.fill("input[type=search]", "玉珍")
    assert phone.page.locator(".card b").all_inner_texts() == ["郑玉珍"]
    phone.page.fill("input[type=search]", "")
    phone.chip("甲二村")
    assert set(phone.page.locator(".card b").all_inner_texts()) == {NAMES[2], NAMES[5]}
    assert elder_named(NAMES[2]).residence_code.endswith("202")


def test_a_new_release_takes_the_place_of_the_old_one(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    caches = "async () => (await caches.keys()).filter((name) => name.startsWith('phone-'))"
    [before] = phone.page.evaluate(caches)
    text = phone_pages._worker(0)
    monkeypatch.setattr(phone_pages, "_worker", lambda newest: text.replace(before[6:], "0123456789abcdef"))
    with phone.page.expect_event("load"):  # the app loads the new release by itself
        phone.page.evaluate("() => { navigator.serviceWorker.ready.then((found) => found.update()); }")
    phone.settled()
    assert phone.page.evaluate(caches) == ["phone-0123456789abcdef"]
    phone.cut()
    phone.page.reload()
    phone.see(NAMES[0])
