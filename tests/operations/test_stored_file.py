"""Kept files are unreadable on disk and unchanged when read."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from operations.crypto import DecryptionError
from operations.services.stored_file import stored_file_create, stored_file_read

pytestmark = pytest.mark.django_db
CONTENT = "姓名,身份证号码\n张测,990101194003151239\n".encode()


@pytest.fixture(autouse=True)
def media(settings: LazySettings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def test_a_file_is_read_back_as_it_came() -> None:
    stored = stored_file_create(name="名单.csv", content=CONTENT)
    assert stored_file_read(stored=stored) == CONTENT
    assert (stored.name, stored.size) == ("名单.csv", len(CONTENT))


def test_the_file_on_disk_holds_no_number(media: Path) -> None:
    stored_file_create(name="名单.csv", content=CONTENT)
    (kept,) = [path for path in media.rglob("*") if path.is_file()]
    assert b"990101" not in kept.read_bytes() and "名单" not in kept.name


def test_a_path_in_the_name_is_dropped() -> None:
    assert stored_file_create(name="../../etc/名单.csv", content=CONTENT).name == "名单.csv"


def test_a_touched_file_is_refused(media: Path) -> None:
    stored = stored_file_create(name="名单.csv", content=CONTENT)
    path = Path(stored.content.path)
    body = path.read_bytes()
    path.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    with pytest.raises(DecryptionError):
        stored_file_read(stored=stored)
