"""Sealing beside the cleaning: in order, whatever the size, never silently short."""

import os
import signal

import pytest

from eldercare.roster import sealing
from eldercare.roster.sealing import Sealer, seal
from operations.crypto import SoftwareProvider, blind_index, decrypt, provider

LISTS = [["甲", "", "13800138000"], [str(number) for number in range(20_000)], ["乙" * 500], []]


def test_lists_come_back_sealed_in_order() -> None:
    with Sealer() as sealer:
        for texts in LISTS:
            sealer.submit(texts)
        for texts in LISTS:
            sealed = sealer.collect()
            assert [decrypt(cipher) for cipher in sealed[::2]] == texts
            assert sealed[1::2] == [blind_index(text) for text in texts]


def test_a_process_that_dies_is_noticed() -> None:
    with Sealer() as sealer:
        sealer.submit(["甲"])
        sealer.collect()
        sealer.submit(["乙"])
        sealer.collect()
        assert sealer.process is not None
        os.kill(sealer.process.pid, signal.SIGKILL)
        sealer.process.wait()
        with pytest.raises((RuntimeError, BrokenPipeError)):
            sealer.submit(["丙"])
            sealer.collect()


def test_no_process_is_left_behind() -> None:
    with Sealer() as sealer:
        for _ in range(2):
            sealer.submit(["甲"])
        process = sealer.process
    assert process is not None
    assert process.poll() is not None


def test_a_provider_that_is_no_software_is_asked_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    class Machine:
        encrypt, decrypt, digest = (lambda self, plain: b"m" + plain,) * 3

    monkeypatch.setattr(sealing, "provider", Machine)
    with Sealer() as sealer:
        for _ in range(3):
            sealer.submit(["a"])
        assert sealer.process is None
        assert sealer.collect() == [b"ma", b"ma"]


def test_the_keys_never_stand_in_the_arguments_of_the_process() -> None:
    software = provider()
    assert isinstance(software, SoftwareProvider)
    with Sealer() as sealer:
        for _ in range(2):
            sealer.submit(["甲"])
        assert sealer.process is not None
        arguments = " ".join(map(str, sealer.process.args))  # type: ignore[arg-type]  # a list of texts
    assert str(software.configuration["index"]) not in arguments


def test_empty_texts_stay_empty() -> None:
    assert seal([""], provider()) == [b"", b""]
