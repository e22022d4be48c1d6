"""Signals of what seems padded: each on both sides of its boundary, and the same whatever came in first."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from eldercare.models import Elder
from operations.models import StoredFile
from organization.models import User
from tests.registry import make_elder
from tests.visits.conftest import SHANGHAI
from visits.choices import SignalKind
from visits.models import Signal, Visit, VisitPhoto, VisitReturn
from visits.services.arrival import visits_arrived
from visits.services.signal import signals_find

pytestmark = pytest.mark.django_db
#: One kilometre to the north, in degrees of latitude.
KILOMETRE = 1 / 111.19492664
HOME = (25.0, 103.6)


@pytest.fixture
def worker(db: None) -> User:
    """A village worker."""
    return User.objects.create_user("worker", full_name="周访")


@pytest.fixture
def elders(db: None) -> list[Elder]:
    """Fifteen elders."""
    return [make_elder(date(1940, 1, 1 + number)) for number in range(15)]


Recorder = Callable[..., Visit]


@pytest.fixture
def record(worker: User) -> Recorder:
    """Store a record of the worker as a phone would send it; at: local time."""

    def make(elder: Elder, at: str, place: tuple[float, float] | None = None, **more: object) -> Visit:
        values: dict[str, object] = {
            "id": uuid4(),
            "recorder": worker,
            "visitor": "周访",
            "mode": "上门",
            "result": "见到本人",
            "channel": "手机",
        }
        if place:
            values |= {"latitude": round(place[0], 6), "longitude": round(place[1], 6), "accuracy": 12.0}
        return Visit.objects.create(
            elder=elder, at=datetime.fromisoformat(at).replace(tzinfo=SHANGHAI), **(values | more)
        )

    return make


def find(*visits: Visit) -> None:
    """Look for signals as when these visits come in."""
    signals_find(visit_ids=[visit.pk for visit in visits])


def kinds(visit: Visit) -> set[str]:
    """Kinds of the visit's signals."""
    return set(visit.signals.values_list("kind", flat=True))


def photo(visit: Visit, fingerprint: int) -> VisitPhoto:
    """Give the visit a photo with the fingerprint."""
    file = StoredFile.objects.create(name="p.jpg", size=1, sha256="0" * 64, content="none")
    return VisitPhoto.objects.create(visit=visit, file=file, fingerprint=fingerprint)


@pytest.mark.parametrize(
    ("kilometres", "seconds", "signalled"),
    [
        (1.01, 300, True),
        (0.99, 300, False),
        (1.01, 301, False),
        (50.0, 0, True),
        (0.0, 0, False),
    ],
)
def test_two_homes_more_than_a_kilometre_apart_within_five_minutes_are_a_signal_on_both(
    record: Recorder, elders: list[Elder], kilometres: float, seconds: int, signalled: bool
) -> None:
    first = record(elders[0], "2026-03-10 10:00", HOME)
    away = (HOME[0] + kilometres * KILOMETRE, HOME[1])
    later = datetime(2026, 3, 10, 10, tzinfo=SHANGHAI) + timedelta(seconds=seconds)
    second = record(elders[1], f"{later:%Y-%m-%d %H:%M:%S}", away)
    find(second)
    assert [SignalKind.FAR_APART in kinds(each) for each in (first, second)] == [signalled] * 2


def test_homes_far_apart_are_told_with_time_and_distance_and_without_a_name(
    record: Recorder, elders: list[Elder]
) -> None:
    record(elders[0], "2026-03-10 10:00", HOME)
    second = record(elders[1], "2026-03-10 10:03:20", (HOME[0] + 1.85 * KILOMETRE, HOME[1]))
    find(second)
    assert second.signals.get().detail == "3 分 20 秒内与另一户相距 1.8 公里"


@pytest.mark.parametrize(
    "more",
    [{"mode": "电话"}, {"latitude": None, "longitude": None}, {"visitor": "别人"}, {"recorder": None}],
    ids=["a call", "no place", "papers of another visitor", "nobody's record"],
)
def test_only_homes_that_one_person_went_to_are_compared(
    record: Recorder, elders: list[Elder], more: dict[str, object]
) -> None:
    first = record(elders[0], "2026-03-10 10:00", HOME)
    second = record(elders[1], "2026-03-10 10:01", (HOME[0] + 1, HOME[1]), **more)
    find(first, second)
    assert not Signal.objects.exists()


def test_one_elder_s_two_places_are_no_signal(record: Recorder, elders: list[Elder]) -> None:
    first = record(elders[0], "2026-03-10 10:00", HOME)
    find(first, record(elders[0], "2026-03-10 10:01", (HOME[0] + 1, HOME[1])))
    assert not Signal.objects.exists()


def test_homes_far_apart_are_found_across_midnight_of_the_month(
    record: Recorder, elders: list[Elder]
) -> None:
    first = record(elders[0], "2026-02-28 23:58", HOME)
    second = record(elders[1], "2026-03-01 00:01", (HOME[0] + 1, HOME[1]))
    find(second)
    assert kinds(first) == kinds(second) == {SignalKind.FAR_APART}


@pytest.mark.parametrize(
    ("elder", "at", "fingerprint", "signalled"),
    [
        (1, "2026-03-10 15:00", 77, True),
        (0, "2026-03-11 00:00", 77, True),
        (0, "2026-03-10 23:59", 77, False),
        (1, "2026-03-10 15:00", 78, False),
    ],
    ids=["another elder", "another day", "the same elder and day", "another photo"],
)
def test_the_same_photo_of_another_elder_or_day_is_a_signal_on_both(
    record: Recorder, elders: list[Elder], elder: int, at: str, fingerprint: int, signalled: bool
) -> None:
    first, second = record(elders[0], "2026-03-10 10:00"), record(elders[elder], at)
    photo(first, 77)
    photo(second, fingerprint)
    find(second)
    assert [SignalKind.SAME_PHOTO in kinds(each) for each in (first, second)] == [signalled] * 2


def test_the_same_photo_is_found_whoever_took_it(record: Recorder, elders: list[Elder]) -> None:
    other = User.objects.create_user("other")
    first, second = (
        record(elders[0], "2026-03-10 10:00"),
        record(elders[1], "2026-01-05 10:00", recorder=other),
    )
    photo(first, -5)
    photo(second, -5)
    find(first)
    assert kinds(second) == {SignalKind.SAME_PHOTO}


@pytest.mark.parametrize(
    ("notes", "signalled"),
    [
        (["老人精神很好"] * 10, 10),
        (["老人精神很好"] * 9, 0),
        (["老人精神很好", " 老人精神很好。", "老人精神，很好！"] * 3 + ["老人精神很好"], 10),
        (["身体尚好"] * 12, 0),
        ([""] * 12, 0),
        (["老人精神很好"] * 9 + ["老人精神不好"], 0),
    ],
    ids=["ten", "nine", "but for punctuation", "too short", "none", "nine and another"],
)
def test_ten_notes_of_the_same_words_in_a_month_are_a_signal(
    record: Recorder, elders: list[Elder], notes: list[str], signalled: int
) -> None:
    made = [
        record(elders[place], f"2026-03-{place + 1:02} 10:00", note=note) for place, note in enumerate(notes)
    ]
    find(made[-1])
    assert Signal.objects.filter(kind=SignalKind.SAME_TEXT).count() == signalled


def test_the_same_words_in_two_months_are_counted_apart(record: Recorder, elders: list[Elder]) -> None:
    days = [f"2026-03-{day:02} 10:00" for day in range(27, 32)] + [
        f"2026-04-{day:02} 10:00" for day in range(1, 6)
    ]
    find(*[record(elder, day, note="老人精神很好") for elder, day in zip(elders, days, strict=False)])
    assert not Signal.objects.exists()


@pytest.mark.parametrize(
    ("before", "on_last_day", "signalled"),
    [(9, 10, 10), (10, 10, 0), (0, 10, 10), (0, 9, 0), (11, 12, 12)],
    ids=["more than half", "half", "all of ten", "all of nine", "more than ten"],
)
def test_more_than_half_and_at_least_ten_on_the_last_day_are_a_signal_on_those(
    record: Recorder, elders: list[Elder], before: int, on_last_day: int, signalled: int
) -> None:
    early = [record(elders[place], f"2026-03-{place + 1:02} 10:00") for place in range(before)]
    late = [record(elders[place], f"2026-03-31 {8 + place:02}:00") for place in range(on_last_day)]
    find((early + late)[0])
    assert Signal.objects.filter(kind=SignalKind.LAST_DAY).count() == signalled
    assert not Signal.objects.filter(visit__in=early).exists()


@pytest.mark.parametrize(
    ("at", "signalled"),
    [("2026-03-31 00:00", 10), ("2026-03-30 23:59:59", 0), ("2026-03-31 23:59:59", 10)],
)
def test_the_last_day_is_a_day_in_shanghai(
    record: Recorder, elders: list[Elder], at: str, signalled: int
) -> None:
    find(*[record(elder, at) for elder in elders[:10]])
    assert Signal.objects.count() == signalled


@pytest.mark.parametrize(("accuracy", "signalled"), [(0.0, True), (0.1, False), (None, False)])
def test_a_place_without_any_error_is_a_signal(
    record: Recorder, elders: list[Elder], accuracy: float | None, signalled: bool
) -> None:
    visit = record(elders[0], "2026-03-10 10:00", HOME, accuracy=accuracy)
    find(visit)
    assert (kinds(visit) == {SignalKind.MOCK_PLACE}) == signalled


@pytest.mark.parametrize(
    ("offset", "detail"),
    [
        (600, ""),
        (601, "手机时钟慢约 10 分钟"),
        (-600, ""),
        (-601, "手机时钟快约 10 分钟"),
        (-7260, "手机时钟快约 121 分钟"),
        (None, ""),
    ],
)
def test_a_clock_off_by_more_than_ten_minutes_is_a_signal(
    record: Recorder, elders: list[Elder], offset: int | None, detail: str
) -> None:
    visit = record(elders[0], "2026-03-10 10:00", clock_offset=offset)
    find(visit)
    assert "".join(visit.signals.values_list("detail", flat=True)) == detail


def test_the_same_again_changes_nothing(record: Recorder, elders: list[Elder]) -> None:
    visit = record(elders[0], "2026-03-10 10:00", clock_offset=900)
    find(visit)
    before = list(Signal.objects.values())
    find(visit)
    assert list(Signal.objects.values()) == before


def test_a_returned_record_has_no_signals_and_gives_none(
    record: Recorder, elders: list[Elder], worker: User
) -> None:
    first = record(elders[0], "2026-03-10 10:00", HOME)
    second = record(elders[1], "2026-03-10 10:01", (HOME[0] + 1, HOME[1]))
    find(first, second)
    VisitReturn.objects.create(visit=second, reason="位置不对", by=worker)
    visits_arrived(visit_ids=[second.pk], now=timezone.now())
    assert not Signal.objects.exists()


def test_a_correction_takes_the_signal_away_from_the_record_and_its_neighbour(
    record: Recorder, elders: list[Elder]
) -> None:
    first = record(elders[0], "2026-03-10 10:00", HOME)
    second = record(elders[1], "2026-03-10 10:01", (HOME[0] + 1, HOME[1]))
    visits_arrived(visit_ids=[first.pk, second.pk], now=timezone.now())
    assert Signal.objects.count() == 2
    third = record(elders[1], "2026-03-10 15:00", (HOME[0] + 1, HOME[1]), corrects=second.pk)
    visits_arrived(visit_ids=[third.pk], now=timezone.now())
    assert not Signal.objects.exists()


def _story(record: Recorder, elders: list[Elder], ids: list[UUID]) -> list[Callable[[], list[Visit]]]:
    """Four arrivals: two homes too far apart, one of them corrected, ten of one text, one of the ten returned."""
    text = "家中一切安好无异常"
    far = (HOME[0] + 1, HOME[1])
    return [
        lambda: [record(elders[0], "2026-03-10 10:00", HOME, id=ids[0])],
        lambda: [record(elders[1], "2026-03-10 10:01", far, id=ids[1], note=text)],
        lambda: [record(elders[1], "2026-03-10 10:02", far, id=ids[2], note=text, corrects=ids[1])],
        lambda: [
            record(elder, f"2026-03-{day:02} 09:00", id=ids[day], note=text)
            for day, elder in enumerate(elders[3:12], 11)
        ],
    ]


def test_every_order_of_arrival_ends_with_the_same_signals(
    record: Recorder, elders: list[Elder], worker: User
) -> None:
    ids = [UUID(int=7_000 + number, version=4) for number in range(20)]
    ends: set[tuple[tuple[object, ...], ...]] = set()
    for order in permutations(range(4)):
        story = _story(record, elders, ids)
        for step in order:
            _come_in(story[step]())
        ends.add(_signals())
        _forget(ids)
    assert len(ends) == 1
    assert {kind for _, kind, _ in ends.pop()} == {SignalKind.FAR_APART, SignalKind.SAME_TEXT}


def _come_in(visits: Iterable[Visit]) -> None:
    visits_arrived(visit_ids=[visit.pk for visit in visits], now=timezone.now())


def _signals() -> tuple[tuple[object, ...], ...]:
    rows = Signal.objects.order_by("visit_id", "kind").values_list("visit_id", "kind", "detail")
    return tuple(tuple(row) for row in rows)


def _forget(ids: list[UUID]) -> None:
    """Take the records away although the database keeps them: only in a test, whose rows are nobody's."""
    Signal.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM visits_visit WHERE id = ANY (%s)", [ids])
        cursor.execute("SET LOCAL session_replication_role = origin")
