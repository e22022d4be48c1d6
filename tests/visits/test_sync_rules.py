"""What a phone's record comes to: taken, known or rejected, credited to whom and with which marks."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from catalog.models import Document, FindingKind
from eldercare.models import Elder
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import (
    ALWAYS,
    COUNTY,
    MARCH,
    TOWN_A,
    VILLAGE_A1,
    VILLAGE_A2,
    VILLAGE_B1,
    TierMaker,
    open_month,
    visit,
)
from tests.visits.phones import NOW, number, record, send
from visits.models import Obligation, PhoneState, Visit, VisitMonth, VisitReturn


@pytest.fixture
def worker(county: Document) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)


@pytest.fixture
def colleague(county: Document) -> User:
    """The worker of 乙一村, in another township."""
    return make_user("colleague", Role.VILLAGE_WORKER, VILLAGE_B1)


@pytest.fixture
def elder(county: Document, tier: TierMaker) -> Elder:
    """An elder of 甲一村, obliged in March."""
    tier()
    found = make_elder(date(1940, 1, 1), hukou=VILLAGE_A1)
    open_month()
    return found


@pytest.fixture
def words(county: Document) -> None:
    """The county's list: a fall is red, loneliness is nothing but a word; damp was taken off it."""
    for code, name, risk, valid in (
        ("fall", "跌倒", "红", ALWAYS),
        ("alone", "孤独", "", ALWAYS),
        ("damp", "潮湿", "黄", (date(2020, 1, 1), date(2026, 3, 20))),
    ):
        FindingKind.objects.create(
            document=county, code=code, name=name, group="健康", risk=risk, hours=24, order=1, valid=valid
        )


def credited(elder: Elder) -> tuple[int, bool]:
    """(done, met) of the elder's March as it stands."""
    row = Obligation.objects.get(elder=elder, month=MARCH)
    return row.done, row.met


def test_a_visit_is_stored_with_what_the_phone_said_and_counts(worker: User, elder: Elder) -> None:
    sent = record(elder, worker, note="精神好", latitude=25.03, longitude=103.66, accuracy=12.5)
    [answer] = send(worker, sent)
    assert (answer.state, answer.reason, answer.marks) == ("stored", "", [])
    kept = Visit.objects.get(pk=number(sent))
    assert (kept.elder_id, kept.recorder_id, kept.channel, kept.note) == (
        elder.pk,
        worker.pk,
        "手机",
        "精神好",
    )
    assert (str(kept.latitude), str(kept.longitude), kept.accuracy) == ("25.030000", "103.660000", 12.5)
    assert (kept.at.isoformat(), kept.device_at, kept.clock_offset) == (
        "2026-03-20T02:00:00+00:00",
        kept.at,
        0,
    )
    assert kept.recorded_at == NOW
    assert credited(elder) == (1, True)


def test_the_visitor_is_the_recorder_by_name(worker: User, elder: Elder) -> None:
    User.objects.filter(pk=worker.pk).update(full_name="王小村")
    send(User.objects.get(pk=worker.pk), record(elder, worker, visitor="冒名者"))
    assert Visit.objects.get().visitor == "王小村"


def test_the_same_record_again_is_known_and_gives_its_receipt_again(worker: User, elder: Elder) -> None:
    sent = record(elder, worker)
    send(worker, sent)
    [again] = send(worker, sent, now=NOW + timedelta(days=100))
    assert (again.state, again.reason) == ("known", "")
    assert again.receipt
    assert Visit.objects.count() == 1


def test_another_content_under_a_taken_number_is_a_conflict_and_changes_nothing(
    worker: User, elder: Elder
) -> None:
    sent = record(elder, worker)
    send(worker, sent)
    [answer] = send(worker, sent | {"note": "改过"})
    assert (answer.state, answer.receipt) == ("conflict", "")
    assert "原记录没有改动；请换新编号" in answer.reason
    assert Visit.objects.get().note == ""


def test_the_same_number_twice_in_one_post_is_one_record(worker: User, elder: Elder) -> None:
    sent = record(elder, worker)
    states = [answer.state for answer in send(worker, sent, sent, sent | {"note": "改过"})]
    assert states == ["stored", "known", "conflict"]
    assert Visit.objects.count() == 1


def test_the_number_of_an_imported_record_is_a_conflict(worker: User, elder: Elder) -> None:
    [answer] = send(worker, record(elder, worker, id=str(visit(elder, "2026-03-05").pk)))
    assert answer.state == "conflict"


def test_one_bad_record_never_stops_the_others(worker: User, elder: Elder) -> None:
    good = record(elder, worker)
    answers = send(worker, None, record(elder, worker, mode="托梦"), good, {"id": "坏"})
    assert [answer.state for answer in answers] == ["rejected", "rejected", "stored", "rejected"]
    assert answers[2].id == good["id"]
    assert all("请" in answer.reason for answer in answers if answer.state == "rejected")
    assert Visit.objects.count() == 1


def test_a_reference_made_for_another_user_is_rejected(worker: User, colleague: User, elder: Elder) -> None:
    [answer] = send(worker, record(elder, colleague))
    assert answer.state == "rejected"
    assert "不在发给您的名单里；请刷新名单" in answer.reason


def test_a_reference_whose_key_went_to_another_row_is_rejected(worker: User, elder: Elder) -> None:
    sent = record(elder, worker)
    Elder.objects.filter(pk=elder.pk).update(created_at=elder.created_at + timedelta(seconds=1))
    [answer] = send(worker, sent)
    assert answer.state == "rejected"
    assert "花名册里已没有此人；请刷新名单" in answer.reason


def test_an_elder_given_to_somebody_else_meanwhile_is_credited_and_marked(
    worker: User, colleague: User, elder: Elder
) -> None:
    sent = record(elder, worker)
    Obligation.objects.update(assignee=colleague)
    [answer] = send(worker, sent)
    assert (answer.state, answer.marks) == ("stored", ["已移交"])
    assert Visit.objects.get().recorder == worker
    assert credited(elder) == (1, True)


def test_an_elder_who_moved_to_another_township_meanwhile_is_credited_and_marked(
    worker: User, elder: Elder
) -> None:
    sent = record(elder, worker)
    Elder.objects.filter(pk=elder.pk).update(residence_code=VILLAGE_B1)
    [answer] = send(worker, sent)
    assert (answer.state, answer.marks) == ("stored", ["已移交"])
    assert credited(elder) == (1, True)


@pytest.mark.parametrize(("days", "state"), [(60, "stored"), (61, "rejected")])
def test_a_record_is_taken_for_sixty_days(worker: User, elder: Elder, days: int, state: str) -> None:
    [answer] = send(worker, record(elder, worker, NOW - timedelta(days=days)))
    assert answer.state == state
    assert ("已超过 60 天；手机日期不对的请改正后再上传" in answer.reason) == (state == "rejected")


def test_a_record_that_lies_ahead_is_taken_as_of_now_and_marked(worker: User, elder: Elder) -> None:
    [answer] = send(worker, record(elder, worker, NOW + timedelta(days=2)))
    assert (answer.state, answer.marks) == ("stored", ["时钟偏差"])
    kept = Visit.objects.get()
    assert (kept.at, kept.device_at, kept.clock_offset) == (NOW, NOW + timedelta(days=2), -2 * 86400)


def test_a_correction_takes_the_place_of_what_it_corrects(worker: User, elder: Elder) -> None:
    first = record(elder, worker)
    second = record(elder, worker, mode="电话", result="未联系上", corrects=first["id"])
    send(worker, first)
    [answer] = send(worker, second)
    assert (answer.state, answer.marks) == ("stored", [])
    assert credited(elder) == (0, False)


def test_a_correction_of_a_record_outside_the_area_is_rejected(
    worker: User, colleague: User, elder: Elder
) -> None:
    far = make_elder(date(1941, 1, 1), hukou=VILLAGE_B1)
    theirs = record(far, colleague)
    send(colleague, theirs)
    [answer] = send(worker, record(elder, worker, corrects=theirs["id"]))
    assert answer.state == "rejected"
    assert "原记录不是您登记的，也不在您的辖区；请由原登记人更正" in answer.reason


def test_a_colleagues_record_in_the_area_may_be_corrected(worker: User, elder: Elder) -> None:
    other = make_user("other", Role.TOWNSHIP_CLERK, TOWN_A)
    theirs = record(elder, other)
    send(other, theirs)
    [answer] = send(worker, record(elder, worker, result="外出", corrects=theirs["id"]))
    assert answer.state == "stored"


def test_ones_own_record_may_be_corrected_wherever_the_elder_lives_by_now(worker: User, elder: Elder) -> None:
    first = record(elder, worker)
    send(worker, first)
    Elder.objects.filter(pk=elder.pk).update(residence_code=VILLAGE_B1)
    [answer] = send(worker, record(elder, worker, result="外出", corrects=first["id"]))
    assert answer.state == "stored"


def test_a_returned_record_counts_again_once_it_is_corrected_however_late(worker: User, elder: Elder) -> None:
    first = record(elder, worker)
    send(worker, first)
    lead = make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)
    VisitReturn.objects.create(visit_id=number(first), reason="照片不清", by=lead)
    mended = record(elder, worker, note="已补拍", corrects=first["id"])
    [answer] = send(worker, mended, now=NOW + timedelta(days=70))
    assert (answer.state, answer.marks) == ("stored", [])
    assert [row.pk for row in Visit.objects.standing()] == [number(mended)]
    assert credited(elder) == (1, True)


def test_a_second_visit_of_the_day_is_told_as_doubtful_and_counts_once(worker: User, elder: Elder) -> None:
    first, second = record(elder, worker, "2026-03-20 00:00"), record(elder, worker, "2026-03-20 11:59")
    assert [answer.marks for answer in send(worker, first)] == [[]]
    assert [answer.marks for answer in send(worker, second)] == [["疑似重复"]]
    assert credited(elder) == (1, True)


def test_a_visit_of_the_day_before_is_not_doubtful(worker: User, elder: Elder) -> None:
    answers = send(
        worker, record(elder, worker, "2026-03-19 23:59:59"), record(elder, worker, "2026-03-20 00:00")
    )
    assert [answer.marks for answer in answers] == [[], []]


def test_a_record_of_a_locked_month_is_stored_as_late(worker: User, elder: Elder) -> None:
    VisitMonth.objects.create(month=MARCH, county_code=COUNTY, area_code=TOWN_A, state="已提交")
    [answer] = send(worker, record(elder, worker), now=NOW + timedelta(days=14))
    assert (answer.state, answer.marks) == ("stored", ["补录"])
    row = Obligation.objects.get(elder=elder)
    assert (row.done, row.met, row.late_done, row.late_met) == (0, False, 1, True)


def test_findings_are_stored_in_the_words_of_the_day_and_the_risk_is_the_highest(
    worker: User, elder: Elder, words: None
) -> None:
    found = [{"code": "fall", "note": "昨天"}, {"code": "alone"}]
    [answer] = send(worker, record(elder, worker, findings=found, risk="黄"))
    assert answer.state == "stored"
    kept = Visit.objects.get()
    rows = [(row.code, row.name, row.group, row.risk, row.note) for row in kept.findings.order_by("code")]
    assert rows == [("alone", "孤独", "健康", "", ""), ("fall", "跌倒", "健康", "红", "昨天")]
    assert kept.risk == "红"


def test_a_word_that_was_not_in_force_that_day_is_rejected(worker: User, elder: Elder, words: None) -> None:
    damp = [{"code": "damp"}]
    early = record(elder, worker, "2026-03-19 10:00", findings=damp)
    answers = send(
        worker, early, record(elder, worker, findings=damp), record(elder, worker, findings=[{"code": "?"}])
    )
    assert [answer.state for answer in answers] == ["stored", "rejected", "rejected"]
    assert "“damp”不在当天的发现项里；请刷新名单" in answers[1].reason


def test_the_day_of_death_is_kept_and_never_after_the_visit(worker: User, elder: Elder) -> None:
    ahead = timedelta(days=3)  # by the phone's calendar it is the 23rd already
    told = record(elder, worker, NOW + ahead - timedelta(hours=1), result="已故", event_day="2026-03-23")
    plain = record(elder, worker, result="已故", event_day="2026-03-18")
    send(worker, told, ahead=ahead)
    send(worker, plain)
    assert Visit.objects.get(pk=number(told)).event_day == date(2026, 3, 20)
    assert Visit.objects.get(pk=number(plain)).event_day == date(2026, 3, 18)


def test_the_phones_last_word_is_kept(worker: User, elder: Elder) -> None:
    send(worker, waiting=3, ahead=timedelta(minutes=2))
    send(
        worker, record(elder, worker), record(elder, worker, mode="?"), waiting=5, ahead=timedelta(minutes=-2)
    )
    state = PhoneState.objects.get()
    assert (state.user, state.synced_at, state.waiting, state.clock_offset) == (worker, NOW, 4, 120)


def test_what_was_stored_is_audited_and_what_was_known_is_not(worker: User, elder: Elder) -> None:
    sent = record(elder, worker)
    for _ in range(2):
        send(worker, sent, record(elder, worker, mode="?", id=str(uuid4())))
    [entry] = AuditEntry.objects.filter(action="上传探访记录")
    assert (entry.actor, entry.data) == (worker, {"records": [sent["id"]]})


def test_two_villages_of_a_township_are_not_one_scope(worker: User, tier: TierMaker) -> None:
    tier()
    near = make_elder(date(1942, 1, 1), hukou=VILLAGE_A2)
    open_month()
    [answer] = send(worker, record(near, worker))
    assert answer.marks == ["已移交"]
