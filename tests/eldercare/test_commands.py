"""import_roster and undo_import as scripts call them."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from eldercare.models import Elder, ImportBatch
from eldercare.reading import gate
from tests.eldercare.rosters import AS_OF, held, person, workbook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("villages")]


def run(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, dict[str, Any], str]:
    """Run a command; return exit code, last line of stdout as JSON, stderr."""
    code = 0
    try:
        call_command(*map(str, args))
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    out, err = capsys.readouterr()
    return code, json.loads(out.splitlines()[-1]), err


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "名册.xlsx"
    path.write_bytes(workbook([person(1, 低保="是"), person(2), person(3, 低保="也许")]))
    return path


def test_all_writes_nothing_if_a_row_is_refused(capsys: pytest.CaptureFixture[str], roster: Path) -> None:
    code, answer, err = run(capsys, "import_roster", roster)
    assert (code, answer["rows"], answer["errors"]) == (1, 3, 1)
    assert "错误 低保：应填“是”，不是的留空（1 行，如工作表“花名册”第 4 行）" in err
    assert not Elder.objects.exists()
    assert ImportBatch.objects.get(pk=answer["batch"]).state == ImportBatch.State.REFUSED


def test_valid_writes_the_good_rows(capsys: pytest.CaptureFixture[str], roster: Path) -> None:
    code, answer, _ = run(capsys, "import_roster", roster, "--mode", "valid", "--as-of", AS_OF)
    batch = ImportBatch.objects.get()
    assert code == 0
    assert answer == {
        "rows": 3, "created": 2, "updated": 0, "unchanged": 0, "errors": 1, "warnings": 3, "batch": batch.pk,
    }  # fmt: skip
    assert held(person(1), "low_income_allowance") == [("是", "2026-01-01", "")]


def test_a_dry_run_counts_and_writes_nothing(capsys: pytest.CaptureFixture[str], roster: Path) -> None:
    code, answer, _ = run(capsys, "import_roster", roster, "--mode", "valid", "--dry-run")
    assert (code, answer["created"], answer["errors"]) == (0, 2, 1)
    assert not Elder.objects.exists()


def test_the_error_workbook_is_written_where_asked(
    capsys: pytest.CaptureFixture[str], roster: Path, tmp_path: Path
) -> None:
    out = tmp_path / "错误.xlsx"
    run(capsys, "import_roster", roster, "--errors", out)
    code, answer, _ = run(capsys, "import_roster", out)
    assert (code, answer["rows"], answer["errors"]) == (1, 3, 1)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.xlsx", b"%PDF-1.4", "这是PDF 文件"),
        ("a.csv", b"x,y\n1,2\n", "前 10 行里找不到表头"),
        ("a.xlsx", b"0" * (20 * gate.MB + 1), "超过 20 MB 的上限"),
    ],
)
def test_a_wrong_file_is_refused_with_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    code, answer, err = run(capsys, "import_roster", path)
    assert code == 1
    assert sentence in answer["error"]
    assert sentence in err


def test_a_missing_file_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, answer, _ = run(capsys, "import_roster", tmp_path / "没有.xlsx")
    assert (code, "打不开文件" in answer["error"]) == (1, True)


def test_a_wrong_day_is_wrong_usage(roster: Path) -> None:
    with pytest.raises(CommandError):
        call_command("import_roster", str(roster), "--as-of", "2026-13-01")


def test_a_batch_is_taken_back_by_its_number(capsys: pytest.CaptureFixture[str], roster: Path) -> None:
    _, imported, _ = run(capsys, "import_roster", roster, "--mode", "valid")
    code, answer, _ = run(capsys, "undo_import", imported["batch"])
    assert (code, answer["state"], Elder.objects.count()) == (0, "undone", 0)


def test_a_batch_with_later_work_stays_and_says_why(capsys: pytest.CaptureFixture[str], roster: Path) -> None:
    _, first, _ = run(capsys, "import_roster", roster, "--mode", "valid", "--as-of", "2026-01-01")
    roster.write_bytes(workbook([person(1, 低保="")]))
    run(capsys, "import_roster", roster, "--as-of", "2026-06-01")
    code, answer, _ = run(capsys, "undo_import", first["batch"])
    assert (code, "后来又由导入批次" in answer["error"]) == (1, True)


def test_an_unknown_batch_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, answer, _ = run(capsys, "undo_import", 999_999)
    assert (code, answer["error"]) == (1, "没有导入批次 999999")
