"""Twelve digits: every level of the tree is a prefix of the one below."""

import pytest

from organization.areas import area_prefix, county_code, is_county, parent_code, township_code

VILLAGE, TOWNSHIP, COUNTY, CITY, PROVINCE = (
    "530322101201",
    "530322101000",
    "530322000000",
    "530300000000",
    "530000000000",
)


@pytest.mark.parametrize(
    ("code", "prefix"),
    [
        (VILLAGE, VILLAGE),
        (TOWNSHIP, "530322101"),
        (COUNTY, "530322"),
        (CITY, "5303"),
        (PROVINCE, "53"),
        ("0" * 12, ""),
    ],
)
def test_the_prefix_is_the_codes_significant_digits(code: str, prefix: str) -> None:
    assert area_prefix(code) == prefix


@pytest.mark.parametrize(
    ("code", "prefix"),
    [("530322100000", "530322100"), ("530320000000", "530320"), ("530322101200", "530322101200")],
)
def test_a_code_whose_own_digits_end_in_zero_keeps_its_level(code: str, prefix: str) -> None:
    assert area_prefix(code) == prefix


@pytest.mark.parametrize("code", ["53032210120x", "5303' OR 1=1", "５３０３２２１０１２０１"])
def test_anything_but_digits_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="12 位数字"):
        area_prefix(code)


@pytest.mark.parametrize(
    ("code", "above"),
    [(VILLAGE, TOWNSHIP), (TOWNSHIP, COUNTY), (COUNTY, CITY), (CITY, PROVINCE), (PROVINCE, None)],
)
def test_the_parent_is_one_level_up(code: str, above: str | None) -> None:
    assert parent_code(code) == above


def test_only_counties_are_counties() -> None:
    assert [is_county(code) for code in (VILLAGE, TOWNSHIP, COUNTY, CITY, PROVINCE)] == [
        False,
        False,
        True,
        False,
        False,
    ]


def test_a_village_knows_its_township_and_county() -> None:
    assert (township_code(VILLAGE), county_code(VILLAGE)) == (TOWNSHIP, COUNTY)
