"""Taps per task on a worker's phone: 360×640, touched, the real server behind it."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image

from operations.crypto import decrypt
from tests.portal.browser import MARKS
from tests.portal.phone import Phone, elder_named
from visits.models import Finding, Visit, VisitPhoto

pytestmark = MARKS


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three photos as a camera makes them: large, with its metadata."""
    made = []
    for number, colour in enumerate(("#884422", "#228844", "#224488")):
        picture = Image.effect_noise((2400, 1800), 80).convert("RGB")
        picture.paste(Image.new("RGB", (900, 900), colour), (100 * number, 300))
        exif = Image.Exif()
        exif[0x010F] = "拍照手机"
        path = tmp_path / f"photo{number}.jpg"
        picture.save(path, exif=exif, quality=92)
        made.append(path)
    return made


def results() -> list[tuple[str, str, str]]:
    """What the server has: (name, mode, result)."""
    return list(Visit.objects.order_by("at", "id").values_list("elder__name", "mode", "result"))


def test_a_normal_visit_takes_at_most_five_taps(phone: Phone) -> None:
    phone.open("赵春梅")
    phone.chip("见到本人")
    phone.chip("平安")
    phone.save()
    assert phone.taps <= 5
    phone.see("已入库 1 条")
    assert results() == [("赵春梅", "上门", "见到本人")]


def test_the_place_is_taken_along_without_being_asked_for(phone: Phone) -> None:
    phone.open("赵春梅")
    phone.chip("见到本人")
    phone.chip("平安")
    phone.save()
    phone.see("已入库 1 条")
    visit = Visit.objects.get()
    assert (round(float(visit.latitude or 0), 2), visit.accuracy) == (25.03, 12)


def test_neither_the_result_nor_the_elders_state_is_ever_filled_in_for_the_worker(phone: Phone) -> None:
    phone.open("赵春梅")
    phone.tap(".save button")
    assert phone.page.text_content("#fault") == "请选择探访结果"
    phone.chip("见到本人")
    phone.tap(".save button")
    assert phone.page.text_content("#fault") == "请选择：平安，还是有情况"
    assert results() == []


@pytest.mark.parametrize(
    ("result", "reason"), [("未联系上", "敲门没人应"), ("拒绝", "不愿被打扰"), ("住院", "县医院")]
)
def test_a_visit_not_made_takes_at_most_four_taps_with_its_reason(
    phone: Phone, result: str, reason: str
) -> None:
    phone.open("钱有福")
    phone.chip(result)
    phone.chip(reason)
    phone.save()
    assert phone.taps <= 4
    phone.see("已入库 1 条")
    assert Visit.objects.values_list("result", "note").get() == (result, reason)


def test_a_finding_with_three_photos_takes_at_most_ten_taps(phone: Phone, pictures: list[Path]) -> None:
    phone.open("孙桂兰")
    phone.chip("见到本人")
    phone.chip("有情况")
    phone.chip("电线老化")
    for number, path in enumerate(pictures):
        phone.page.set_input_files("input[type=file]", path)
        phone.taps += 1  # the camera is opened by one tap on the button under the input
        phone.page.wait_for_selector(f".previews div:nth-child({number + 1}) canvas")
    assert phone.looked("finding") == []
    phone.save()
    assert phone.taps <= 10
    phone.see("已入库 1 条")
    assert Finding.objects.values_list("code", "risk").get() == ("wire", "黄")
    assert Visit.objects.get().risk == "黄"
    assert VisitPhoto.objects.count() == 3
    assert phone.rows("photos") == []


def test_photos_are_small_and_hold_nothing_hidden(phone: Phone, pictures: list[Path]) -> None:
    phone.cut()
    phone.open("孙桂兰")
    phone.chip("见到本人")
    phone.page.set_input_files("input[type=file]", pictures[0])
    phone.page.wait_for_selector(".previews canvas")
    stored = bytes(
        phone.page.evaluate(
            """async () => Array.from(new Uint8Array(
            await Outbox.photoBytes(Session.state.owner, (await Store.all("photos"))[0].id)))"""
        )
    )
    path = pictures[0].with_name("stored.jpg")
    path.write_bytes(stored)
    with Image.open(path) as opened:
        assert (opened.format, max(opened.size)) == ("JPEG", 1024)
        assert dict(opened.getexif()) == {}
    assert len(stored) <= 200 * 1024
    phone.cut(False)


@pytest.mark.parametrize(("result", "word"), [("已故", "去世"), ("已迁出", "迁走")])
def test_death_and_moving_out_take_at_most_four_taps_and_are_asked_for_once(
    phone: Phone, result: str, word: str
) -> None:
    phone.open("李大山")
    phone.chip(result)
    phone.chip("昨天")
    assert word in (phone.page.text_content(".sheet h2") or "")
    assert results() == []
    phone.chip("确认上报")
    assert phone.taps <= 4
    phone.see("已入库 1 条")
    visit = Visit.objects.get()
    assert (visit.result, visit.event_day) == (result, timezone.localdate() - timedelta(days=1))


def test_phone_visits_in_a_row_take_at_most_three_taps_each(phone: Phone) -> None:
    phone.tap(".find button:has-text('电话连访')")
    called = []
    for number in range(10):
        if not phone.page.locator(".call b").count():
            break
        name = phone.page.text_content(".call b") or ""
        phone.page.wait_for_timeout(
            600
        )  # the app does not take the second half of a double tap for an answer
        phone.taps = 0
        phone.tap(".dial")
        phone.page.wait_for_selector("a.dial")
        assert phone.page.get_attribute("a.dial", "href") == f"tel:{elder_phone(name)}"
        phone.chip("未联系上" if number == 1 else "联系到本人 · 平安")
        assert phone.taps <= 2  # and one on the number, which the phone dials
        called.append(name)
        phone.page.locator(f".call b:text-is('{name}')").wait_for(state="detached")  # stored, then the next
    phone.see("这一轮电话都打完了")
    phone.tap("main .button.primary")
    phone.settled()
    phone.page.wait_for_selector(".waiting:not(.some)")
    assert len(called) == 8
    assert [name for name, _, result in results() if result == "联系到本人"] == [called[0], *called[2:]]
    assert {mode for _, mode, _ in results()} == {"电话"}


def test_a_double_tap_on_the_telephone_answers_for_one_person_only(phone: Phone) -> None:
    phone.tap(".find button:has-text('电话连访')")
    phone.page.wait_for_timeout(600)
    phone.cut()
    phone.page.evaluate(
        """() => { for (let n = 0; n < 2; n += 1) { document.querySelector(".outcomes button").click(); } }"""
    )
    phone.see("还有 7 人")
    phone.page.wait_for_selector(".waiting.some")
    phone.cut(False)
    phone.page.wait_for_selector(".waiting:not(.some)")
    assert len(results()) == 1


def elder_phone(name: str) -> str:
    """The number that the village's elders were given."""
    return decrypt(elder_named(name).phone_cipher)


def test_a_finding_on_the_telephone_goes_on_in_the_form(phone: Phone) -> None:
    phone.tap(".find button:has-text('电话连访')")
    name = phone.page.text_content(".call b")
    phone.chip("联系到本人 · 有情况")
    phone.chip("补贴没收到")
    phone.cut()
    phone.tap(".save button")
    phone.page.wait_for_selector(".call b")
    assert phone.page.text_content(".call b") != name
    phone.page.wait_for_selector(".waiting.some")
    phone.cut(False)
    phone.page.wait_for_selector(".waiting:not(.some)")
    assert Finding.objects.get().code == "poor"
