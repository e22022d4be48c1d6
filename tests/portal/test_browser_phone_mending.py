"""Mending a record on the phone: what was recorded is shown first, and the visit stays where it was in time."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from eldercare.models import Elder
from organization.models import User
from tests.portal.browser import MARKS
from tests.portal.phone import NAMES, Phone, elder_named
from visits.models import FollowUp, Obligation, Visit
from visits.services.visit_return import visits_return

pytestmark = MARKS

BACK = "照片与本人不符"


def recorded(phone: Phone, name: str) -> Visit:
    """A visit at home in which something was found and noted, stored by the server."""
    phone.open(name)
    phone.chip("见到本人")
    phone.chip("有情况")
    phone.chip("电线老化")
    phone.page.fill("textarea", "厨房里")
    phone.save()
    phone.see("已入库 1 条")
    return Visit.objects.get()


def sent_back(phone: Phone, visit: Visit, clerk: User) -> None:
    """The township sends it back, and the phone hears of it."""
    visits_return(visit_ids=[visit.pk], reason=BACK, actor=clerk)
    phone.tap(".waiting")
    phone.see("1 条记录被退回")
    phone.go("已访")
    phone.tap(".card:has-text('被退回')")
    phone.page.wait_for_selector(".save")


def stored(phone: Phone, count: int) -> None:
    """Wait until the server has so many records."""
    phone.page.wait_for_selector(".waiting.some")
    phone.page.wait_for_selector(".waiting:not(.some)")
    assert Visit.objects.count() == count


def test_a_record_is_shown_before_it_is_corrected_and_the_visit_keeps_time_and_place(phone: Phone) -> None:
    old = recorded(phone, NAMES[0])
    phone.page.wait_for_timeout(1100)  # a second later is another time
    phone.go("已访")
    phone.tap(".card:has-text('已入库')")
    for words in ("电线老化", "厨房里", "保存后替代原记录"):
        phone.see(words)
    assert phone.looked("record") == []
    phone.chip("更正")
    assert not phone.page.locator(".chips.chosen").count()  # the result is never filled in
    phone.chip("见到家属/邻居")
    assert phone.page.input_value("textarea") == "厨房里"
    assert phone.page.locator(".chip.on:has-text('电线老化')").count() == 1
    assert phone.looked("mend") == []
    phone.save()
    stored(phone, 2)
    new = Visit.objects.get(corrects=old.pk)
    assert (new.at, new.mode, new.latitude, new.longitude) == (old.at, old.mode, old.latitude, old.longitude)
    assert (new.result, new.note) == ("见到家属/邻居", "厨房里")


def test_a_returned_record_is_mended_as_of_then(phone: Phone, bureau_clerk: User) -> None:
    old = recorded(phone, NAMES[0])
    sent_back(phone, old, bureau_clerk)
    phone.chip("见到本人")
    phone.save()
    stored(phone, 2)
    new = Visit.objects.get(corrects=old.pk)
    assert (new.at, new.note, new.findings.get().code) == (old.at, "厨房里", "wire")


def test_a_visit_made_anew_answers_a_returned_record_and_is_of_now(phone: Phone, bureau_clerk: User) -> None:
    old = recorded(phone, NAMES[0])
    sent_back(phone, old, bureau_clerk)
    phone.page.wait_for_timeout(1100)
    phone.chip("重新去访了")
    phone.chip("见到本人")
    phone.chip("平安")
    phone.save()
    stored(phone, 2)
    assert Visit.objects.get(corrects=old.pk).at > old.at


def test_a_visit_made_anew_leaves_a_standing_record_as_it_is(phone: Phone) -> None:
    old = recorded(phone, NAMES[0])
    phone.page.wait_for_timeout(1100)
    phone.go("已访")
    phone.tap(".card:has-text('已入库')")
    phone.chip("更正")
    phone.chip("重新去访了")
    phone.chip("外出")
    phone.save()
    stored(phone, 2)
    new = Visit.objects.exclude(pk=old.pk).get()
    assert (new.corrects, new.at > old.at) == (None, True)


def test_at_the_door_the_form_is_for_a_visit_at_home_whatever_the_last_one_was(phone: Phone) -> None:
    phone.tap(".find button:has-text('电话连访')")
    name = phone.page.text_content(".call b") or ""
    phone.page.wait_for_timeout(600)
    phone.chip("未联系上")
    stored(phone, 1)
    phone.tap("#back")
    phone.page.reload()
    phone.settled()
    phone.open(name)
    assert phone.page.inner_text(".chips.modes .on") == "上门"
    phone.see("见到本人了吗")


def test_the_list_is_whole_again_after_somebody_was_searched_for_and_visited(phone: Phone) -> None:
    phone.page.fill("input[type=search]", NAMES[6])
    phone.open(NAMES[6])
    phone.chip("外出")
    phone.save()
    assert phone.page.input_value("input[type=search]") == ""
    phone.see(NAMES[0])


@pytest.fixture
def told_of() -> dict[str, Elder]:
    """Before the phone opens: one reported dead, one without a number, one not visited last month."""
    dead, silent, behind = (elder_named(name) for name in NAMES[3:6])
    said = Visit.objects.create(
        id=uuid4(),
        elder=dead,
        at=timezone.now() - timedelta(days=1),
        mode="电话",
        result="已故",
        visitor="甲",
    )
    FollowUp.objects.create(
        kind="死亡核实", elder=dead, visit=said, area_code=dead.residence_code, title="已故", due_at=said.at
    )
    Elder.objects.filter(pk=silent.pk).update(phone_cipher=b"")
    now = Obligation.objects.get(elder=behind)
    month: date = (now.month - timedelta(days=1)).replace(day=1)
    Obligation.objects.create(
        month=month, county_code=now.county_code, elder=behind, tier=now.tier, area_code=now.area_code, due=1
    )
    return {"dead": dead, "silent": silent, "behind": behind}


def test_who_is_gone_or_has_no_number_is_not_called_and_what_is_overdue_says_why(
    phone: Phone, told_of: dict[str, Elder]
) -> None:
    phone.tap(".waiting")
    phone.see("已上报，待核实")
    last = phone.page.locator(".groups > section").last
    assert last.locator(".card b").all_inner_texts() == [told_of["dead"].name]
    assert "已报去世，待核实" in last.inner_text()
    behind = phone.page.locator(f".card:has(b:text-is('{told_of['behind'].name}'))")
    assert behind.locator(".state").inner_text() == "逾期 · 上月未访"
    assert phone.looked("reported") == []
    phone.tap(".find button:has-text('电话连访')")
    phone.see("1 人没有电话，请上门")
    called = []
    while phone.page.locator(".call b").count():
        called.append(phone.page.text_content(".call b"))
        phone.chip("先跳过")
    assert called
    assert not {told_of["dead"].name, told_of["silent"].name} & set(called)
    phone.see("1 人没有电话，请上门")


def test_who_has_been_visited_enough_is_said_to_be_visited_once_more(phone: Phone) -> None:
    phone.open(NAMES[4])
    phone.chip("见到本人")
    phone.chip("平安")
    phone.save()
    stored(phone, 1)
    phone.go("已访")
    phone.see("点开是多访一次，不改原记录")
    phone.tap(".card:has-text('已达标')")
    phone.see("现在登记的是多访一次")
