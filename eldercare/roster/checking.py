"""Checking a whole file: read, judge, stage, then compare with the registry."""

from array import array
from datetime import date

from django.db import connection
from django.db.backends.utils import CursorWrapper

from eldercare.resources.roster import RosterResource
from eldercare.roster.cleaning import CleanRow, Fault, RosterReader
from eldercare.roster.findings import findings, out_of_scope
from eldercare.roster.judging import Judge, oddities
from eldercare.roster.plan import Layouts, plan_build, plan_counts
from eldercare.roster.report import Place, Places, Report, Severity
from eldercare.roster.scope import Scope
from eldercare.roster.staging import StageWriter, staged_drop
from operations.services.job import Progress
from organization.selectors import area_names_get

REPEATED = "与{where}完全相同，只入库一次"
REFUSED_TOO = "与{where}相同，那一行没有通过核对；请一并改正"
CONFLICT = "与{where}是同一证件号码，但内容不同；请核对后只保留一行"


class RosterCheck:
    """One run over one file; works inside the caller's transaction."""

    def __init__(self, *, batch_id: int, as_of: date, today: date, scope: Scope) -> None:
        self.batch_id = batch_id
        self.scope = scope
        self.report = Report()
        areas = area_names_get()
        resource = RosterResource(areas=areas, today=today)
        self.reader = RosterReader(resource, self.report)
        self.judge = Judge(areas, today, as_of, scope)
        self.places = Places()
        self.contents = array("q")
        self.seen: dict[str, int] = {}
        self.contradicted: set[int] = set()
        self.repeated: dict[int, int] = {}

    @property
    def total(self) -> int:
        """Data rows read so far."""
        return self.reader.total

    @property
    def layouts(self) -> list[list[str]]:
        """The column sets of the sheets."""
        return [list(names) for names in self.reader.layouts]

    def read(self, content: bytes, progress: Progress) -> None:
        """Read the file into the staging tables and note what is wrong in it. Raises FileRefused."""
        with connection.cursor() as cursor:
            with StageWriter(cursor, self.batch_id).open() as stage:
                for chunk in self.reader.chunks(content):
                    stage.write([row for row in chunk if self._judge(row)])
                    progress.report(f"正在核对，已读 {self.total:,} 行", self.total)
            staged_drop(cursor, self.batch_id, self.report.refused)

    def compare(self) -> dict[str, int]:
        """Hold the staged rows against the registry; return the counts of ImportBatch."""
        with connection.cursor() as cursor:
            self._keep_within_scope(cursor)
            cursor.execute("ANALYZE eldercare_stagedrow, eldercare_stagedcircumstance")
            plan_build(cursor, batch_id=self.batch_id, layouts=Layouts(self.layouts), lock=False)
            for number, severity, name, message in findings(cursor, self.batch_id, self.scope):
                self.report.add(severity, self.places[number], self._title(name), message)
            created, updated, unchanged = plan_counts(cursor)
        repeated = len(self.repeated.keys() - self.report.refused)
        return {
            "rows": self.total,
            "created": created,
            "updated": updated,
            "unchanged": unchanged + repeated,
            "errors": len(self.report.refused),
            "warnings": self.report.rows_with(Severity.WARNING),
            "suspected": self.report.rows_with(Severity.SUSPECTED),
            "repeated": repeated,
            "skipped": self.reader.skipped,
        }

    def _judge(self, row: CleanRow) -> bool:
        """Judge a row and note what is wrong; tell whether it is to be staged."""
        values = row.values
        is_whole = not any(value.__class__ is Fault for value in values.values())
        content = hash((row.layout, *values.values()))
        self.places.append(row.place)
        self.contents.append(content)
        for severity, name, message in self.judge.judge(values, is_whole):
            self._note(row, severity, name, message)
            is_whole = is_whole and severity is not Severity.ERROR
        is_first = self._meet(row, content)
        if is_whole and is_first:
            for severity, name, message in oddities(values):
                self._note(row, severity, name, message)
        return is_whole and is_first

    def _meet(self, row: CleanRow, content: int) -> bool:
        """Tell whether the ID number is new in the file; a repeated row is noted, a contradicting one refused."""
        identity = row.values.get("id_number")
        if identity is None or identity.__class__ is Fault:
            return True
        first = self.seen.setdefault(identity.number, row.place.number)
        if first == row.place.number:
            return True
        other = self.places[first]
        if self.contents[first - 1] == content:
            self._note(row, Severity.WARNING, "id_number", REPEATED.format(where=_where(row.place, other)))
            self.repeated[row.place.number] = first
            return False
        self._note(row, Severity.ERROR, "id_number", CONFLICT.format(where=_where(row.place, other)))
        if first not in self.contradicted:
            self.contradicted.add(first)
            message = CONFLICT.format(where=_where(other, row.place))
            self.report.add(
                Severity.ERROR, other, row.header.titles["id_number"], message, row.raw("id_number")
            )
        return False

    def _note(self, row: CleanRow, severity: Severity, name: str, message: str) -> None:
        title = row.header.titles.get(name) or self._title(name)
        self.report.add(severity, row.place, title, message, row.raw(name))

    def _title(self, name: str) -> str:
        field = self.reader.fields[name]
        return str(field.column_name)

    def _keep_within_scope(self, cursor: CursorWrapper) -> None:
        found = list(out_of_scope(cursor, self.batch_id, self.scope))
        for number, severity, name, message in found:
            self.report.add(severity, self.places[number], self._title(name), message)
        staged_drop(cursor, self.batch_id, [number for number, *_ in found])
        for number, first in self.repeated.items():
            if first in self.report.refused and number not in self.report.refused:
                message = REFUSED_TOO.format(where=_where(self.places[number], self.places[first]))
                self.report.add(Severity.ERROR, self.places[number], self._title("id_number"), message)


def _where(place: Place, other: Place) -> str:
    """Name another row as seen from this one."""
    return f"第 {other.row} 行" if other.sheet == place.sheet else f"工作表“{other.sheet}”第 {other.row} 行"
