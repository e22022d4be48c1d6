"""Dividing money among sources: to the 分, whatever the shares and however often it goes on."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subsidies.allocation import split, split_next

sums = st.decimals(min_value=0, max_value=10**8, places=2)
share_lists = st.lists(st.decimals(min_value=0, max_value=100, places=2), min_size=1, max_size=4).filter(
    lambda shares: sum(shares) > 0
)


def money(*values: str) -> list[Decimal]:
    return [Decimal(value) for value in values]


@pytest.mark.parametrize(
    ("total", "shares", "parts"),
    [
        ("100.01", ("40", "60"), ("40.00", "60.01")),
        ("0.01", ("40", "60"), ("0.00", "0.01")),
        ("0.01", ("50", "50"), ("0.01", "0.00")),
        ("-100.01", ("40", "60"), ("-40.00", "-60.01")),
        ("34800.00", ("10.34", "89.66"), ("3598.32", "31201.68")),
        ("10.00", ("100", "0"), ("10.00", "0.00")),
        ("0.03", ("33.33", "33.33", "33.34"), ("0.01", "0.01", "0.01")),
        ("0.02", ("26", "26", "26", "22"), ("0.01", "0.01", "0.00", "0.00")),
    ],
)
def test_a_sum_is_divided_half_up_and_the_last_source_takes_the_rest(
    total: str, shares: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    assert split(Decimal(total), money(*shares)) == money(*parts)


@pytest.mark.parametrize("shares", [("0", "0"), ("150", "-50")])
def test_shares_that_divide_nothing_are_refused(shares: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="shares"):
        split(Decimal(1), money(*shares))


@given(sums, share_lists)
def test_parts_add_up_and_none_is_negative(total: Decimal, shares: list[Decimal]) -> None:
    parts = split(total, shares)
    assert sum(parts) == total
    assert all(part >= 0 and part == part.quantize(Decimal("0.01")) for part in parts)
    assert split(-total, shares) == [-part for part in parts]


@given(sums, share_lists)
def test_a_part_is_off_its_share_by_less_than_one_cent_per_source(
    total: Decimal, shares: list[Decimal]
) -> None:
    for part, share in zip(split(total, shares), shares, strict=True):
        assert abs(part - total * share / sum(shares)) <= Decimal("0.01") * len(shares)


@given(st.lists(sums, min_size=1, max_size=8), share_lists)
def test_what_is_divided_piece_by_piece_never_falls_below_zero_and_adds_up(
    pieces: list[Decimal], shares: list[Decimal]
) -> None:
    booked = [Decimal(0)] * len(shares)
    for piece in pieces:
        parts = split_next(booked, piece, shares)
        assert sum(parts) == piece
        assert all(part >= 0 for part in parts), "no source gets back what is paid out"
        booked = [old + new for old, new in zip(booked, parts, strict=True)]
    assert sum(booked) == sum(pieces)


@given(st.lists(sums, min_size=1, max_size=8), st.decimals(min_value=0, max_value=100, places=2))
def test_with_two_sources_the_pieces_come_to_the_division_of_the_whole(
    pieces: list[Decimal], first: Decimal
) -> None:
    shares, booked = [first, 100 - first], money("0", "0")
    for piece in pieces:
        booked = [old + new for old, new in zip(booked, split_next(booked, piece, shares), strict=True)]
    assert booked == split(sum(pieces, Decimal(0)), shares)


@given(sums, st.data(), share_lists, share_lists)
def test_what_is_taken_back_never_leaves_a_source_below_zero(
    total: Decimal, data: st.DataObject, before: list[Decimal], after: list[Decimal]
) -> None:
    shares = (after * len(before))[: len(before)]
    if sum(shares) <= 0:
        shares = before
    booked = split(total, before)
    back = data.draw(st.decimals(min_value=0, max_value=total, places=2))
    parts = split_next(booked, -back, shares)
    assert sum(parts) == -back
    assert all(part <= 0 for part in parts)
    assert all(old + new >= 0 for old, new in zip(booked, parts, strict=True))
