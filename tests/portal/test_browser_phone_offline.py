"""A day without a network: whatever happens between phone and server, nothing is lost and nothing is doubled."""

import json
from collections import Counter
from pathlib import Path

from django.contrib.sessions.models import Session
from PIL import Image
from playwright.sync_api import Route

from organization.models import User
from tests.portal.browser import MARKS
from tests.portal.phone import NAMES, Phone
from visits.models import Visit, VisitPhoto

pytestmark = MARKS


def visited() -> Counter[tuple[str, str]]:
    """What the server has: (name, result) → how often."""
    return Counter(Visit.objects.values_list("elder__name", "result"))


def seen(phone: Phone, name: str) -> None:
    """Record that somebody was seen at home and is well."""
    phone.open(name)
    phone.chip("见到本人")
    phone.chip("平安")
    phone.save()


def test_a_day_without_a_network_loses_and_doubles_nothing(phone: Phone, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    Image.effect_noise((1600, 1200), 60).convert("RGB").save(photo)
    phone.cut()
    seen(phone, NAMES[0])
    phone.open(NAMES[1])
    phone.chip("未联系上")
    phone.save()
    phone.open(NAMES[2])
    phone.chip("见到本人")
    phone.chip("有情况")
    phone.chip("房屋漏雨")
    phone.page.set_input_files("input[type=file]", photo)
    phone.page.wait_for_selector(".previews canvas")
    phone.save()
    phone.open(NAMES[3])
    phone.chip("已故")
    phone.chip("今天")
    phone.chip("确认上报")
    phone.page.wait_for_selector(".tabs:not([hidden])")
    phone.see("待上传 4")
    # in the middle of a visit the system ends the browser; the worker opens it again, still without a network
    phone.open(NAMES[4])
    phone.chip("见到本人")
    phone.see("草稿已自动保存")
    phone.kill()
    phone.start(offline=True)
    phone.page.goto("/m/")
    phone.see("无网络")
    phone.see("待上传 4")
    phone.see("1 条草稿没有保存")
    assert phone.looked("offline") == []
    phone.open(NAMES[4])
    phone.chip("平安")
    phone.save()
    phone.tap(".find button:has-text('电话连访')")
    called = phone.page.text_content(".call b") or ""
    phone.page.wait_for_timeout(600)
    phone.chip("联系到本人 · 平安")
    phone.see("待上传 6")
    phone.tap("#back")
    assert visited() == Counter()
    phone.cut(False)
    phone.see("已入库 6 条")
    phone.page.wait_for_selector(".waiting:not(.some)")
    assert visited() == Counter(
        [
            (NAMES[0], "见到本人"),
            (NAMES[1], "未联系上"),
            (NAMES[2], "见到本人"),
            (NAMES[3], "已故"),
            (NAMES[4], "见到本人"),
            (called, "联系到本人"),
        ]
    )
    assert VisitPhoto.objects.count() == 1
    assert {row["state"] for row in phone.rows("records")} == {"已入库"}
    # the figure is the server's own: who died left it, who was not reached is still to be seen
    phone.see("本月已访/应访")


def test_an_answer_that_is_lost_makes_no_second_row(phone: Phone) -> None:
    lost: list[int] = []

    def lose(route: Route) -> None:
        """Let the server store it, and lose its answer once."""
        if json.loads(route.request.post_data or "{}").get("records") and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    phone.context.route("**/m/sync/", lose)
    seen(phone, NAMES[0])
    phone.page.wait_for_selector(".net.attention")
    assert lost == [200]
    assert visited() == Counter([(NAMES[0], "见到本人")])
    phone.tap(".waiting")
    phone.see("已入库 1 条")
    assert visited() == Counter([(NAMES[0], "见到本人")])


def test_two_tabs_send_each_record_once(phone: Phone) -> None:
    posted: list[str] = []
    phone.context.on(
        "request",
        lambda request: (
            posted.extend(record["id"] for record in json.loads(request.post_data or "{}").get("records", []))
            if request.url.endswith("/m/sync/")
            else None
        ),
    )
    second = phone.tab()
    phone.settled(second)
    phone.cut()
    seen(phone, NAMES[0])
    first, phone.page = phone.page, second
    seen(phone, NAMES[1])
    phone.see("待上传 2")
    phone.cut(False)
    for page in (first, second):
        page.wait_for_selector(".waiting:not(.some)")
        phone.settled(page)
    assert visited() == Counter([(NAMES[0], "见到本人"), (NAMES[1], "见到本人")])
    assert len(posted) == len(set(posted)) == 2


def test_a_draft_opened_in_two_tabs_becomes_two_records_and_not_one_twice(phone: Phone) -> None:
    phone.open(NAMES[0])
    phone.chip("见到本人")
    second = phone.tab()
    first, phone.page = phone.page, second
    phone.settled()
    phone.open(NAMES[0])
    phone.chip("平安")
    phone.save()
    phone.see("已入库 1 条")
    phone.page = first
    phone.chip("平安")
    phone.save()
    phone.page.wait_for_selector(".waiting:not(.some)")
    phone.see("已入库 1 条")
    assert visited() == Counter({(NAMES[0], "见到本人"): 2})
    assert Visit.objects.values("id").distinct().count() == 2


def test_a_number_that_is_taken_already_is_changed_and_the_record_sent_again(phone: Phone) -> None:
    answered: list[str] = []

    def conflict(route: Route) -> None:
        records = json.loads(route.request.post_data or "{}").get("records", [])
        if records and not answered:
            answered.append(records[0]["id"])
            results = [
                {"id": row["id"], "state": "conflict", "reason": "编号重复", "marks": [], "receipt": ""}
                for row in records
            ]
            route.fulfill(
                json={"server_time": "", "replay": False, "figures": {}, "results": results},
            )
        else:
            route.continue_()

    phone.context.route("**/m/sync/", conflict)
    seen(phone, NAMES[0])
    phone.see("已入库 1 条")
    assert answered
    assert str(Visit.objects.get().pk) != answered[0]


def test_one_bad_record_never_blocks_the_rest(phone: Phone) -> None:
    phone.cut()
    for name in NAMES[:3]:
        seen(phone, name)
    # as if an elder's reference had been spoilt: the server cannot tell whom it means
    phone.page.evaluate(
        """async () => {
          const entry = Session.state.records.find((found) => found.record.name === "钱有福");
          await Outbox.keep(Session.state.owner, Object.assign(entry.record, {elder: "spoilt"}), Outbox.WAITING);
        }"""
    )
    phone.cut(False)
    phone.see("1 条记录被退回")
    assert visited() == Counter([(NAMES[0], "见到本人"), (NAMES[2], "见到本人")])
    # the refused one can be thrown away: it must not keep the worker from signing out for ever
    phone.go("已访")
    phone.tap(".card:has-text('被退回')")
    phone.chip("删除这条记录")
    phone.chip("删除")
    phone.page.wait_for_selector(".tabs:not([hidden])")
    phone.page.wait_for_selector(".card:has-text('被退回')", state="detached")
    assert {row["state"] for row in phone.rows("records")} == {"已入库"}


def test_a_record_that_the_server_fails_over_does_not_hold_up_the_others(phone: Phone) -> None:
    def fail(route: Route) -> None:
        """Fail like a server with a fault, as long as a certain record is in the post."""
        records = json.loads(route.request.post_data or "{}").get("records", [])
        if any(row["result"] == "拒绝" for row in records):
            route.fulfill(status=500, json={"detail": "内部错误"})
        else:
            route.continue_()

    phone.context.route("**/m/sync/", fail)
    phone.cut()
    seen(phone, NAMES[0])
    phone.open(NAMES[1])
    phone.chip("拒绝")
    phone.save()
    seen(phone, NAMES[2])
    phone.cut(False)
    phone.see("1 条暂时没有传上")
    assert visited() == Counter([(NAMES[0], "见到本人"), (NAMES[2], "见到本人")])
    phone.see("待上传 1")
    phone.context.unroute("**/m/sync/")
    phone.tap(".waiting")
    phone.page.wait_for_selector(".waiting:not(.some)")
    assert visited()[NAMES[1], "拒绝"] == 1
    phone.faults = [fault for fault in phone.faults if "500" not in fault]


def test_a_session_that_is_over_keeps_everything_and_goes_on_after_signing_in(
    phone: Phone, visitor: User
) -> None:
    Session.objects.all().delete()
    seen(phone, NAMES[0])
    phone.see("登录已过期")
    phone.see("待上传 1")
    assert phone.looked("signed-out") == []
    phone.sign_in(visitor)
    phone.page.wait_for_selector(".waiting:not(.some)")
    assert visited() == Counter([(NAMES[0], "见到本人")])
    # the token of the old session is refused once; that is how the app learns that there is a new one
    phone.faults = [fault for fault in phone.faults if "403 (Forbidden)" not in fault]
