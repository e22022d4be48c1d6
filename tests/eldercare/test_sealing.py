"""Sealing beside the cleaning: in order, whatever the size, never silently short."""

import os
import signal

import pytest

from eldercare.roster import sealing
from eldercare.roster.sealing import PRIVATE_COLUMNS, PrivateRow, Sealer, seal
from operations.crypto import SoftwareProvider, blind_index, decrypt, provider

NUMBER, HEAD = "610304194003151239", "530322192401310040"


def row(plain: str = "1", phone: str = "", household: str = NUMBER, head: str = "") -> PrivateRow:
    return PrivateRow(plain, NUMBER, phone, "", "", "", household, head)


def columns(line: bytes) -> tuple[str, dict[str, bytes]]:
    plain, *private = line.decode().rstrip("\n").split("\t")
    values = [bytes.fromhex(text.removeprefix("\\\\x")) for text in private]
    return plain, dict(zip(PRIVATE_COLUMNS, values, strict=True))


def test_a_row_is_sealed_column_by_column() -> None:
    plain, sealed = columns(seal([row("张三", phone="13800138000", household=HEAD, head=HEAD)], provider()))
    assert plain == "张三"
    assert decrypt(sealed["id_number_cipher"]) == NUMBER
    assert sealed["id_number_index"] == blind_index(NUMBER)
    assert (decrypt(sealed["phone_cipher"]), sealed["phone_index"]) == (
        "13800138000",
        blind_index("13800138000"),
    )
    assert (sealed["account_cipher"], sealed["account_index"]) == (b"", b"")
    assert (decrypt(sealed["head_cipher"]), sealed["household_key"]) == (HEAD, blind_index(HEAD))


def test_without_a_head_the_household_is_the_own_number() -> None:
    _, sealed = columns(seal([row()], provider()))
    assert (sealed["head_cipher"], sealed["household_key"]) == (b"", blind_index(NUMBER))


def test_lists_come_back_in_order_whatever_their_size() -> None:
    lists = [[row("甲")], [row(str(number)) for number in range(8_000)], [row("乙" * 500)], []]
    with Sealer() as sealer:
        for rows in lists:
            sealer.submit(rows)
        for rows in lists:
            lines = sealer.collect().splitlines()
            assert [columns(line)[0] for line in lines] == [one.plain for one in rows]


def test_a_process_that_dies_is_noticed() -> None:
    with Sealer() as sealer:
        sealer.submit([row()])
        sealer.collect()
        sealer.submit([row()])
        sealer.collect()
        assert sealer.process is not None
        os.kill(sealer.process.pid, signal.SIGKILL)
        sealer.process.wait()
        with pytest.raises((RuntimeError, BrokenPipeError)):
            sealer.submit([row()])
            sealer.collect()


def test_no_process_is_left_behind() -> None:
    with Sealer() as sealer:
        for _ in range(2):
            sealer.submit([row()])
        process = sealer.process
    assert process is not None
    assert process.poll() is not None


def test_a_provider_that_is_no_software_is_asked_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    class Machine:
        encrypt, decrypt, digest = (lambda self, plain: b"m" + plain,) * 3

    monkeypatch.setattr(sealing, "provider", Machine)
    with Sealer() as sealer:
        for _ in range(3):
            sealer.submit([row()])
        assert sealer.process is None
        assert columns(sealer.collect())[1]["id_number_cipher"] == b"m" + NUMBER.encode()


def test_the_keys_never_stand_in_the_arguments_of_the_process() -> None:
    software = provider()
    assert isinstance(software, SoftwareProvider)
    with Sealer() as sealer:
        for _ in range(2):
            sealer.submit([row()])
        assert sealer.process is not None
        arguments = " ".join(map(str, sealer.process.args))  # type: ignore[arg-type]  # a list of texts
    assert str(software.configuration["index"]) not in arguments
