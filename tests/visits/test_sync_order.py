"""Six events in every order of arrival end in the same state: what counts rests on the events alone."""

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from math import factorial
from typing import Any

import pytest
from django.db import transaction

from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import VILLAGE_A1, TierMaker, open_month
from tests.visits.phones import record, send, state
from visits.models import Obligation

Event = tuple[User, dict[str, Any]]


@pytest.fixture
def elder(tier: TierMaker) -> Elder:
    """An elder who must be visited twice in March, once at home."""
    tier(times=2, in_person=1)
    found = make_elder(date(1940, 1, 1), hukou=VILLAGE_A1)
    open_month()
    return found


@pytest.fixture
def events(elder: Elder) -> list[Event]:
    """A visit, its correction, a second of that day from another phone, 未联系上 twice, 已故."""
    one = make_user("one", Role.VILLAGE_WORKER, VILLAGE_A1)
    other = make_user("other", Role.VILLAGE_WORKER, VILLAGE_A1)
    first = record(elder, one, "2026-03-03 09:00")
    return [
        (one, first),
        (one, record(elder, one, "2026-03-04 09:00", mode="电话", result="联系到本人", corrects=first["id"])),
        (other, record(elder, other, "2026-03-03 16:00")),
        (one, record(elder, one, "2026-03-10 09:00", mode="电话", result="未联系上")),
        (other, record(elder, other, "2026-03-11 09:00", mode="电话", result="未联系上")),
        (one, record(elder, one, "2026-03-15 09:00", result="已故", event_day="2026-03-14")),
    ]


def ends(events: list[Event]) -> Iterator[str]:
    """Let the events come in in every order; yield the digest of each end. Common beginnings are walked once."""
    if not events:
        yield sha256(repr(sorted(state().items())).encode()).hexdigest()
        return
    for place, (user, sent) in enumerate(events):
        with transaction.atomic():
            [answer] = send(user, sent)
            assert answer.state == "stored", answer.reason
            yield from ends(events[:place] + events[place + 1 :])
            transaction.set_rollback(True)


def test_all_720_orders_end_in_the_same_state(events: list[Event]) -> None:
    found = list(ends(events))
    assert len(found) == factorial(6) == 720
    assert len(set(found)) == 1


def test_that_state_is_the_right_one(events: list[Event], elder: Elder) -> None:
    for user, sent in events:
        send(user, sent)
    end = state()
    row = Obligation.objects.get(elder=elder)
    assert (row.done, row.met) == (2, True)  # by telephone on the 4th, at home on the 3rd
    standing = {str(number) for (number,) in end["standing"]}
    assert standing == {sent["id"] for _, sent in events[1:]}
    assert [kind for kind, *_ in end["follow-ups"]] == ["死亡核实"]


def test_the_digest_tells_states_apart(events: list[Event]) -> None:
    seen = set()
    for user, sent in events:
        send(user, sent)
        seen.add(repr(sorted(state().items())))
    assert len(seen) == len(events)
