"""Stored numbers cannot be read, changed or guessed, yet can be found."""

import pytest

from operations.crypto import DecryptionError, SoftwareProvider, blind_index, decrypt, encrypt
from operations.masking import mask_account, mask_id_number, mask_phone

KEY = "00112233445566778899aabbccddeeff"
OTHER = "ffeeddccbbaa99887766554433221100"


def provider(current: str = "a", **keys: str) -> SoftwareProvider:
    return SoftwareProvider(current, keys or {"a": KEY}, index=KEY * 2)


def test_what_was_encrypted_is_read_back() -> None:
    assert decrypt(encrypt("990101194003151239")) == "990101194003151239"


def test_nothing_stays_nothing() -> None:
    assert (encrypt(""), decrypt(b""), blind_index("")) == (b"", "", b"")


def test_the_stored_form_does_not_hold_the_number_and_differs_each_time() -> None:
    one, two = encrypt("990101194003151239"), encrypt("990101194003151239")
    assert b"9901" not in one and one != two


def test_equal_numbers_have_equal_blind_indexes_of_32_bytes() -> None:
    assert blind_index("13800000000") == blind_index("13800000000") != blind_index("13800000001")
    assert len(blind_index("13800000000")) == 32


def test_a_changed_byte_is_noticed() -> None:
    stored = bytearray(provider().encrypt(b"text"))
    stored[-1] ^= 1
    with pytest.raises(DecryptionError, match="改动"):
        provider().decrypt(bytes(stored))


def test_an_older_key_still_reads_after_rotation() -> None:
    old = provider().encrypt(b"text")
    assert provider("b", a=KEY, b=OTHER).decrypt(old) == b"text"


def test_a_key_that_is_gone_is_named_as_the_reason() -> None:
    with pytest.raises(DecryptionError, match="密钥编号"):
        provider("b", b=OTHER).decrypt(provider().encrypt(b"text"))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (mask_id_number("610304194003151239"), "610304********1239"),
        (mask_id_number("1234"), "****"),
        (mask_phone("13812345678"), "138****5678"),
        (mask_phone("1234567"), "*******"),
        (mask_account("6228480012345678903"), "**** 8903"),
        (mask_account("8903"), "****"),
    ],
)
def test_numbers_are_masked(shown: str, expected: str) -> None:
    assert shown == expected
