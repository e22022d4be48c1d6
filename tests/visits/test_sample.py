"""The sample to be called back: its size, its half of suspects, and that it can be drawn again."""

from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visits.sample import sample_draw, sample_size

SEED = "5f0c3a"
#: The last three digits of the records drawn with it from a hundred, four of them flagged.
PINNED = [355, 353, 354, 440, 360]


def ids(count: int, first: int = 0) -> list[UUID]:
    return [UUID(int=first + number, version=4) for number in range(count)]


@pytest.mark.parametrize(
    ("records", "size"), [(0, 0), (1, 1), (20, 1), (21, 2), (100, 5), (101, 6), (2000, 100)]
)
def test_five_percent_are_drawn_rounded_up_and_at_least_one(records: int, size: int) -> None:
    assert sample_size(records) == size
    assert len(sample_draw(SEED, ids(records), [])) == size


def test_the_sample_of_a_seed_is_written_down_here() -> None:
    """Whoever changes the draw makes every former sample unverifiable: this one must stay."""
    assert [record.int % 1000 for record in sample_draw(SEED, ids(100), ids(4))] == PINNED


@pytest.mark.parametrize(
    ("flagged", "suspects"), [(0, 0), (1, 1), (4, 4), (5, 5), (50, 5)], ids=lambda value: str(value)
)
def test_half_of_the_sample_is_flagged_where_there_are_enough(flagged: int, suspects: int) -> None:
    records = ids(200)
    drawn = sample_draw(SEED, records, records[:flagged])
    assert len(drawn) == 10
    assert len(set(drawn[:suspects]) & set(records[:flagged])) == suspects
    assert len(set(drawn) & set(records[:flagged])) >= suspects


def test_an_odd_sample_s_larger_half_is_flagged() -> None:
    records = ids(100)
    drawn = sample_draw(SEED, records, records[:20])
    assert len(set(drawn[:3]) & set(records[:20])) == 3


def test_the_rest_is_drawn_from_all_flagged_or_not() -> None:
    records = ids(100)
    assert set(sample_draw(SEED, records, records)) == set(sample_draw(SEED, records, []))


@given(st.sets(st.uuids(version=4), max_size=120), st.integers(), st.data())
def test_the_same_seed_and_records_in_any_order_give_the_same_sample(
    records: set[UUID], shuffle: int, data: st.DataObject
) -> None:
    flagged = data.draw(st.sets(st.sampled_from(sorted(records)))) if records else set()
    drawn = sample_draw(SEED, sorted(records), flagged)
    other = sorted(records)
    Random(shuffle).shuffle(other)  # noqa: S311  # an order, not a secret
    assert sample_draw(SEED, other, flagged) == drawn
    assert len(set(drawn)) == len(drawn) == sample_size(len(records))
    assert set(drawn) <= records


def test_another_seed_gives_another_sample() -> None:
    assert len({tuple(sample_draw(f"seed {number}", ids(400), [])) for number in range(20)}) == 20
