"""The admin's import of small files, over the same services as every other way in."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from import_export.formats.base_formats import Format
from import_export.results import Error, Result, RowResult
from import_export.tmp_storages import BaseStorage

from eldercare.models import ImportBatch
from eldercare.reading.gate import file_kind
from eldercare.resources.roster import RosterResource
from eldercare.services.roster import RosterRefused, roster_check, roster_commit, roster_upload
from operations.models import StoredFile
from operations.services.stored_file import stored_file_create, stored_file_read
from organization.models import User

WAITING: Final = "待确认的花名册"
MAX_ROWS: Final = 2_000
TOO_MANY: Final = f"超过 {MAX_ROWS:,} 行；请到“导入”页面上传，那里在后台处理"


class RosterFile:
    """A file on its way: import-export asks datasets for their length only."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __len__(self) -> int:
        return len(self.content)


class RosterFormat(Format):
    """One format for all: the content tells what a file is."""

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def get_title(self) -> str:
        return "花名册（xlsx、xls、csv）"

    def can_import(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> RosterFile:
        file_kind(in_stream)
        return RosterFile(in_stream)


# import-export gives a storage neither request nor user.
_sender: ContextVar[User] = ContextVar("sender")


@contextmanager
def sent_by(user: User) -> Iterator[None]:
    """Within this, waiting files are kept for and given to this user alone."""
    token = _sender.set(user)
    try:
        yield
    finally:
        _sender.reset(token)


class EncryptedStorage(BaseStorage):
    """Keeps the file between preview and confirmation as encrypted as any other, for its sender alone."""

    def save(self, data: bytes) -> None:
        self.name = str(stored_file_create(name=WAITING, content=data, created_by=_sender.get()).pk)

    def read(self) -> bytes:
        return stored_file_read(stored=self._stored())

    def remove(self) -> None:
        stored = self._stored()
        stored.content.delete(save=False)
        stored.delete()

    def _stored(self) -> StoredFile:
        """The name comes back from the browser: any other stored file does not exist here."""
        try:
            pk = UUID(self.name)
        except ValueError:
            raise Http404 from None
        return get_object_or_404(StoredFile, pk=pk, name=WAITING, created_by=_sender.get())


class SmallFileResource(RosterResource):
    """The roster's columns for import-export; check and commit are the services'."""

    @classmethod
    def get_display_name(cls) -> str:
        return "花名册"

    def import_data(self, dataset: RosterFile, dry_run: bool = False, **kwargs: Any) -> Result:
        result = Result()
        result.diff_headers = ["行", "结果"]
        try:
            with transaction.atomic():
                batch = roster_upload(
                    name=kwargs.get("file_name") or "花名册.xlsx",
                    content=dataset.content,
                    created_by=kwargs["user"],
                )
                self._run(roster_check(batch=batch), result)
                if dry_run or result.has_errors():
                    transaction.set_rollback(True)
                else:
                    roster_commit(batch=batch, actor=kwargs["user"])
        except RosterRefused as refusal:
            result.append_base_error(Error(ValueError(str(refusal))))
        if dry_run and "batch" in locals():
            batch.file.content.delete(save=False)
        return result

    def _run(self, batch: ImportBatch, result: Result) -> None:
        """Put what the check found into the form that import-export shows."""
        if "refusal" in batch.report:
            raise RosterRefused(batch.report["refusal"])
        if batch.counts["rows"] > MAX_ROWS:
            raise RosterRefused(TOO_MANY)
        for group in batch.report["groups"]:
            first = group["rows"][0]
            where = f"工作表“{first['sheet']}”第 {first['row']} 行"
            message = f"{group['kind']}：{group['message']}（{group['count']} 行，如{where}）"
            result.append_base_error(Error(ValueError(message)))
        for number, kind, word in _outcomes():
            row = RowResult()
            row.import_type, row.diff = kind, [str(number), word]
            result.append_row_result(row)
            result.increment_row_result_total(row)


def _outcomes() -> list[tuple[int, str, str]]:
    """Number, import-export's word and ours for every row of the plan that the check has just made."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT m.number, CASE WHEN m.fresh THEN 'new' WHEN t.elder_id IS NULL THEN 'skip' ELSE 'update' END
               FROM roster_match m LEFT JOIN roster_touched t USING (elder_id) ORDER BY m.number"""
        )
        words = {"new": "新增", "update": "更新", "skip": "不变"}
        return [(number, kind, words[kind]) for number, kind in cursor.fetchall()]
