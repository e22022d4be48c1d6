"""What the import pages ask of the roster services."""

from datetime import date

from django.core.files.uploadedfile import UploadedFile

from eldercare.models import ImportBatch
from organization.models import User


class RosterRefusal(Exception):
    """The file or the step is refused; the message is a Chinese sentence."""


def upload(*, file: "UploadedFile[bytes]", as_of: date, user: User) -> ImportBatch:
    raise RosterRefusal("导入服务尚未接通。")


def commit(*, batch: ImportBatch, mode: ImportBatch.Mode, user: User) -> None:
    raise RosterRefusal("导入服务尚未接通。")


def undo(*, batch: ImportBatch, user: User) -> None:
    raise RosterRefusal("导入服务尚未接通。")


def template() -> bytes:
    return b""
