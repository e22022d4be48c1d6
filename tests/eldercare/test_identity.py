"""ID numbers against the vectors of domain §7."""

from datetime import date

import pytest

from eldercare.choices import Sex
from eldercare.identity import (
    FUTURE_DATE,
    WRONG_CHECK,
    WRONG_DATE,
    WRONG_SHAPE,
    check_character,
    parse_id_number,
    upgrade,
)

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("number", "birth", "sex"),
    [
        ("610304194003151239", date(1940, 3, 15), Sex.MALE),
        ("530322192401310040", date(1924, 1, 31), Sex.FEMALE),
        ("321302194412315520", date(1944, 12, 31), Sex.FEMALE),
        ("610304194402290615", date(1944, 2, 29), Sex.MALE),
        ("810000195001010010", date(1950, 1, 1), Sex.MALE),
        ("911840195207050033", date(1952, 7, 5), Sex.MALE),
    ],
)
def test_a_good_number_tells_birth_date_and_sex(number: str, birth: date, sex: Sex) -> None:
    parsed = parse_id_number(number, TODAY)
    assert (parsed.birth_date, parsed.sex, parsed.fault, parsed.area_is_known) == (birth, sex, "", True)


@pytest.mark.parametrize(
    ("old", "new"),
    [("610304400315123", "610304194003151239"), ("610304220315996", "610304182203159966")],
    ids=["born 19xx", "centenarian born 18xx"],
)
def test_a_fifteen_digit_number_is_upgraded(old: str, new: str) -> None:
    assert upgrade(old) == new
    assert parse_id_number(old, TODAY).number == new


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("610304194003151230", WRONG_CHECK),
        ("610304194002301234", WRONG_DATE),
        ("610304194300291239", WRONG_DATE),
        ("61030420270101123" + check_character("61030420270101123"), FUTURE_DATE),
    ],
)
def test_an_odd_number_is_read_with_its_fault(number: str, fault: str) -> None:
    assert parse_id_number(number, TODAY).fault == fault


def test_a_birth_date_of_today_is_no_fault() -> None:
    first17 = "61030420261121123"
    assert parse_id_number(first17 + check_character(first17), TODAY).fault == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "身份证丢失",
        "61030419400315123",
        "6103041940031512399",
        "61030419400315123Y",
        "6103044003151239",
        "H12345678",
        "６１０３０４１９４００３１５１２３９",
    ],
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=WRONG_SHAPE[:9]):
        parse_id_number(text, TODAY)


def test_a_fictional_province_is_only_unknown() -> None:
    parsed = parse_id_number("99010119400506123" + check_character("99010119400506123"), TODAY)
    assert not parsed.area_is_known
    assert parsed.fault == ""
