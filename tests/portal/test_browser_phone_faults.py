"""What may go wrong on a phone: a link that drops, a full storage, a second user, a sign-out without a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page

from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from tests.conftest import PASSWORD, VILLAGE_A, make_user
from tests.portal.browser import MARKS
from tests.portal.phone import NAMES, Phone
from visits.models import Visit, VisitPhoto

pytestmark = MARKS

FULL = "手机存储已满或不可用，这条没有保存，请先上传或清理后再点保存"
#: Writing fails as on a full phone; `Store.heal()` makes room again.
FILL = """() => {
  const change = Store.change;
  Store.change = async () => { throw new DOMException("full", "QuotaExceededError"); };
  Store.heal = () => { Store.change = change; };
}"""


def seen(phone: Phone, name: str) -> None:
    """Record that somebody was seen at home and is well."""
    phone.open(name)
    phone.chip("见到本人")
    phone.chip("平安")
    phone.save()


def stored(phone: Phone, *names: str) -> None:
    """Record visits that the server confirms one after the other."""
    for name in names:
        seen(phone, name)
        phone.see("已入库 1 条")
        phone.page.wait_for_selector(".waiting:not(.some)")


def restore() -> None:
    """Bring the server back as an older backup would have it: visits cannot be deleted otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE visits_visit CASCADE")


def sync(phone: Phone) -> None:
    """Let the phone talk to the server until it has nothing more to say."""
    phone.page.evaluate("Sync.now()")


def signs_in(page: Page, user: User) -> None:
    """Sign in on a tab where the sign-in page can be reached."""
    page.goto("/m/login/")
    page.fill("input[name=username]", user.username)
    page.fill("input[name=password]", PASSWORD)
    page.click("form button")
    page.wait_for_url("**/m/")
    page.wait_for_selector(".net.good")


@contextmanager
def expected(phone: Phone, *words: str) -> Iterator[None]:
    """What the browser is to say of faults that were made here; nothing else may be said."""
    yield
    assert any(word in fault for word in words for fault in phone.faults)
    phone.faults[:] = [fault for fault in phone.faults if not any(word in fault for word in words)]


def test_a_replay_that_was_dropped_is_repeated(phone: Phone) -> None:
    stored(phone, *NAMES[:3])
    before = set(Visit.objects.values_list("pk", "elder_id", "at", "recorder_id", "recorded_at"))
    restore()
    phone.cut()
    seen(phone, NAMES[3])
    phone.page.route("**/m/replay/", lambda route: route.abort())
    with phone.page.expect_request("**/m/replay/"):
        phone.cut(False)
    phone.page.wait_for_selector(".net.attention")  # the record that waited came in, then the link dropped
    assert Visit.objects.count() == 1
    phone.kill()
    phone.start()
    with phone.page.expect_response("**/m/replay/"):
        phone.page.goto("/m/")
    phone.settled()
    assert before < set(Visit.objects.values_list("pk", "elder_id", "at", "recorder_id", "recorded_at"))
    assert Visit.objects.count() == 4
    sync(phone)
    assert [row["name"] for row in phone.rows("marks")] == ["user"]  # nothing is owed any more


def test_a_receipt_that_comes_too_early_is_given_back_later(phone: Phone) -> None:
    stored(phone, *NAMES[:2])
    restore()
    late = Elder.objects.get(name=NAMES[0])
    index = bytes(late.id_number_index)
    Elder.objects.filter(pk=late.pk).update(id_number_index=b"not registered again yet")
    sync(phone)
    assert [visit.elder.name for visit in Visit.objects.all()] == [NAMES[1]]
    Elder.objects.filter(pk=late.pk).update(id_number_index=index)
    sync(phone)
    assert {visit.elder.name for visit in Visit.objects.all()} == set(NAMES[:2])
    with phone.page.expect_response("**/m/sync/"):
        sync(phone)
    assert [row["name"] for row in phone.rows("marks")] == ["user"]


def test_receipts_are_given_back_oldest_first_and_those_refused_do_not_stop_the_rest(phone: Phone) -> None:
    phone.page.evaluate("""async () => {
      for (let n = 0; n < 60; n += 1) {
        const id = "00000000-0000-4000-8000-" + String(n).padStart(12, "0");
        await Store.put("receipts", {
          id, user: Session.state.owner.user, at: Date.now() - 1000 * n, receipt: "none of ours " + n
        });
      }
      await Store.put("marks", { name: "replay:" + Session.state.owner.user,
        value: (await Store.all("receipts")).map((row) => row.id) });
    }""")
    asked: list[Any] = []
    phone.page.on("request", lambda request: asked.append(request) if "/m/replay/" in request.url else None)
    sync(phone)
    given = [request.post_data_json["receipts"] for request in asked]
    assert [len(receipts) for receipts in given] == [50, 10]
    assert [receipts[0] for receipts in given] == ["none of ours 59", "none of ours 9"]
    assert [row["name"] for row in phone.rows("marks")] == ["user"]


def test_one_passing_fault_of_the_storage_does_not_end_syncing(phone: Phone) -> None:
    phone.page.evaluate("""() => {
      const receipts = Outbox.receipts;
      Outbox.receipts = async () => {
        Outbox.receipts = receipts;
        throw new DOMException("passing", "QuotaExceededError");
      };
    }""")
    with expected(phone, "passing", "console: "):
        seen(phone, NAMES[0])
        phone.see("手机出了问题，记录没有丢失")
        phone.page.wait_for_selector(".waiting:not(.some)")  # tried again by itself
    assert Visit.objects.count() == 1


def test_a_record_that_the_phone_cannot_keep_stays_in_the_form(phone: Phone) -> None:
    phone.open(NAMES[0])
    phone.chip("见到本人")
    phone.chip("平安")
    phone.see("草稿已自动保存")
    phone.page.evaluate(FILL)
    phone.tap(".save button")
    phone.see(FULL)
    assert phone.page.locator(".chip.on").all_inner_texts()[-2:] == ["见到本人", "平安"]
    assert phone.looked("full") == []
    phone.page.evaluate("Store.heal()")
    phone.save()
    phone.see("已入库 1 条")
    assert Visit.objects.get().elder.name == NAMES[0]


def test_a_call_that_the_phone_cannot_keep_is_not_counted_and_stays_to_be_made(phone: Phone) -> None:
    phone.tap(".find button:has-text('电话连访')")
    name = phone.page.inner_text(".call b")
    phone.page.wait_for_timeout(600)  # what comes sooner is the second half of a double tap
    phone.page.evaluate(FILL)
    phone.chip("联系到本人 · 平安")
    phone.see(FULL)
    phone.see("本次已访 0 人")
    assert phone.page.inner_text(".call b") == name
    phone.page.evaluate("Store.heal()")
    phone.chip("联系到本人 · 平安")
    phone.see("本次已访 1 人")
    phone.page.wait_for_selector(".waiting:not(.some)")
    assert Visit.objects.get().elder.name == name


def test_a_second_user_in_another_tab_ends_the_task_and_the_draft_stays_the_first_ones(
    phone: Phone, visitor: User
) -> None:
    other = make_user("other", Role.VILLAGE_WORKER, VILLAGE_A)
    phone.open(NAMES[0])
    phone.chip("见到本人")
    phone.see("草稿已自动保存")
    [first] = {row["user"] for row in phone.rows("records")}
    tab = phone.context.new_page()
    phone.watch(tab)
    signs_in(tab, other)
    phone.page.wait_for_selector(".tabs:not([hidden])")
    assert [(row["user"], row["state"]) for row in phone.rows("records")] == [(first, "草稿")]
    tab.close()
    signs_in(phone.page, visitor)
    phone.open(NAMES[0])
    phone.chip("平安")  # what was tapped before is still there
    phone.save()
    phone.page.wait_for_selector(".waiting:not(.some)")
    assert Visit.objects.get().recorder == visitor


@pytest.mark.parametrize("task", ["form", "calls"])
def test_what_is_saved_belongs_to_the_user_who_began_it(phone: Phone, task: str) -> None:
    phone.cut()
    if task == "form":
        phone.open(NAMES[0])
        phone.chip("见到本人")
        phone.chip("平安")
    else:
        phone.tap(".find button:has-text('电话连访')")
        phone.page.wait_for_timeout(600)  # what comes sooner is the second half of a double tap
    first = phone.page.evaluate("Session.state.owner.user")
    # the other tab has just told of a second user, and has forgotten the key of the first
    phone.page.evaluate("""async () => {
      const key = await Sealing.newKey();
      await Store.remove("users", Session.state.owner.user);
      Session.state.owner = { user: "second", key, label: await Sealing.seal(key, "second") };
    }""")
    phone.tap(".save button" if task == "form" else ".outcomes button")
    phone.page.wait_for_function(
        "async () => (await Store.all('records')).some((row) => row.state === '待上传')"
    )
    assert [(row["user"], row["state"]) for row in phone.rows("records")] == [(first, "待上传")]
    assert [row["user"] for row in phone.rows("users")] == [first]


def test_a_photo_still_being_made_small_goes_with_its_record(phone: Phone, tmp_path: Path) -> None:
    picture = tmp_path / "door.jpg"
    Image.effect_noise((640, 480), 60).convert("RGB").save(picture)
    phone.page.evaluate("""() => {
      const shrink = Photo.shrink;
      Photo.shrink = async (file) => { await new Promise((done) => { Photo.go = done; }); return shrink(file); };
    }""")
    phone.open(NAMES[0])
    phone.chip("见到本人")
    phone.chip("平安")
    phone.page.set_input_files("input[type=file]", picture)
    phone.tap(".save button")
    phone.see("正在保存")
    assert [row["state"] for row in phone.rows("records")] == ["草稿"]
    phone.page.evaluate("Photo.go()")
    phone.page.wait_for_selector(".waiting:not(.some)")
    phone.see("已入库 1 条")
    assert VisitPhoto.objects.get().visit == Visit.objects.get()
    assert phone.rows("photos") == []


def test_a_photo_of_a_record_that_is_stored_already_is_sent(phone: Phone, tmp_path: Path) -> None:
    stored(phone, NAMES[0])
    phone.page.evaluate("""async () => {
      const canvas = document.createElement("canvas");
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg"));
      const [entry] = Session.state.records;
      await Outbox.addPhoto(Session.state.owner, entry.record, await new Response(blob).arrayBuffer());
    }""")
    sync(phone)
    assert VisitPhoto.objects.count() == 1
    assert phone.rows("photos") == []


def leaves_offline(phone: Phone) -> None:
    """Sign out while there is no network, and close the app."""
    phone.cut()
    phone.go("我的")
    phone.chip("退出登录")
    phone.see("第一次使用需要网络")
    phone.kill()


def test_signing_in_again_after_a_sign_out_without_network_lasts(phone: Phone, visitor: User) -> None:
    leaves_offline(phone)
    phone.start()
    phone.sign_in(visitor)
    sync(phone)
    phone.settled()
    assert phone.page.url.endswith("/m/")
    assert [row["name"] for row in phone.rows("marks")] == ["user"]


def test_a_sign_out_is_finished_once_the_server_can_hear_it(phone: Phone) -> None:
    leaves_offline(phone)
    phone.start()
    phone.context.route("**/m/logout/", lambda route: route.fulfill(status=502))
    with phone.page.expect_response("**/m/logout/"):
        phone.page.goto("/m/")
    phone.settled()
    assert "leaving" in [row["name"] for row in phone.rows("marks")]
    phone.context.unroute("**/m/logout/")
    phone.page.reload()
    phone.page.wait_for_url("**/m/login/")
    assert phone.page.request.get("/m/data/").status == 401
    phone.faults[:] = [fault for fault in phone.faults if "502 (Bad Gateway)" not in fault]


@pytest.mark.parametrize("waiting", [False, True])
def test_a_phone_in_the_wrong_year_is_told_so(phone: Phone, waiting: bool) -> None:
    phone.cut()
    if waiting:
        seen(phone, NAMES[0])
    wrong: datetime = timezone.now() + timedelta(days=365 * 90)
    phone.page.evaluate(
        "(year) => { const iso = Moments.iso; Moments.iso = (moment) => year + iso(moment).slice(4); }",
        str(wrong.year),
    )
    phone.cut(False)
    phone.see(f"年份不对（{wrong.year} 年）；请核对手机日期")
    phone.page.evaluate("() => document.querySelector('.waiting').click()")
    phone.see(f"年份不对（{wrong.year} 年）；请核对手机日期")
    phone.faults[:] = [fault for fault in phone.faults if "400 (Bad Request)" not in fault]
