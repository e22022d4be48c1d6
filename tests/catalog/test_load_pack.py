"""The command load_pack: names, files, counties, and what it prints."""

import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Document
from catalog.selectors import counties_applied, policy_get
from tests.catalog.packs import pack_text

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[dict[str, Any], str]:
    """The JSON on stdout's last line and the words on stderr."""
    out, err = StringIO(), StringIO()
    call_command("load_pack", *arguments, stdout=out, stderr=err)
    return json.loads(out.getvalue().splitlines()[-1]), err.getvalue()


def refused(*arguments: str) -> tuple[dict[str, Any], str, int | str | None]:
    """JSON, words and exit code of a refused pack."""
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("load_pack", *arguments, stdout=out, stderr=err)
    return json.loads(out.getvalue().splitlines()[-1]), err.getvalue(), ended.value.code


def written(folder: Path, *changes: tuple[str, Any]) -> str:
    """A file with the small list, changed."""
    path = folder / "list.yaml"
    path.write_text(pack_text(*changes), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("name", "items", "rows"), [("national", 16, 43), ("chencang", 27, 56), ("luliang", 30, 58)]
)
def test_a_shipped_pack_loads_once(name: str, items: int, rows: int) -> None:
    assert run(name)[0].items() >= {"items": items, "versions_created": rows, "unchanged": 0}.items()
    assert run(name)[0].items() >= {"versions_created": 0, "versions_ended": 0, "unchanged": rows}.items()


def test_a_shipped_parent_is_loaded_first_and_said_so() -> None:
    result, words = run("luliang")
    assert (result["document"], words) == (
        "luliang-2023",
        "上级清单 national-2023 还没有载入，先载入随附的 national\n",
    )
    assert Document.objects.filter(code="national-2023").exists()


@pytest.mark.parametrize(("name", "county"), [("chencang", "610304000000"), ("luliang", "530322000000")])
def test_every_rule_of_a_shipped_list_holds_from_its_first_day(name: str, county: str) -> None:
    run(name)
    document = Document.objects.get(area_id=county)
    for day in (document.issued, date(2026, 11, 30)):
        policy = policy_get(county_code=county, day=day)
        assert policy is not None and (policy.valid_months, policy.age_from_next_day) == (12, False)


def test_a_shipped_list_is_applied_to_another_county() -> None:
    result, _ = run("luliang", "--area", "990101000000", "--name", "示范县")
    assert result["document"] == "luliang-2023@990101"
    assert counties_applied() == ["990101000000"]


def test_a_file_is_loaded(tmp_path: Path) -> None:
    assert run(written(tmp_path))[0] == {
        "document": "test-2024",
        "items": 2,
        "versions_created": 7,
        "versions_ended": 0,
        "unchanged": 0,
    }


def test_a_later_file_tells_what_it_ended(tmp_path: Path) -> None:
    run(written(tmp_path))
    result, _ = run(written(tmp_path, ("items.0.from", date(2025, 1, 1)), ("items.0.amount", 60)))
    assert (result["versions_created"], result["versions_ended"], result["unchanged"]) == (1, 1, 6)


def test_what_a_file_left_out_is_named(tmp_path: Path) -> None:
    run(written(tmp_path))
    assert run(written(tmp_path, ("exclusions", [])))[1] == (
        "包里没有写、但仍然有效：exclusions[both]；要废止请写上 to\n"
    )


def test_a_faulty_file_is_refused_with_every_fault(tmp_path: Path) -> None:
    answer, words, code = refused(written(tmp_path, ("items.0.rule", "年纪 > 1"), ("items.1.lead", "无此局")))
    assert code == 1
    assert len(answer["errors"]) == 2
    assert words.startswith("政策包未载入，共 2 处要改：\n")


def test_a_refused_file_leaves_not_even_its_parent(tmp_path: Path) -> None:
    refused(written(tmp_path, ("document.parent", "national-2023"), ("items.0.covers", ["N99"])))
    assert not Document.objects.exists()


def test_a_file_that_is_no_yaml_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("items: [", encoding="utf-8")
    assert refused(str(path))[0]["errors"] == [
        "第 1 行第 9 列附近：YAML 写法有误，请检查缩进、冒号后的空格、引号和括号"
    ]


@pytest.mark.parametrize("arguments", [("atlantis",), ("luliang", "--area", "5303")])
def test_an_unknown_name_or_area_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as error:
        run(*arguments)
    assert error.value.returncode == 2


@pytest.mark.parametrize("text", ["", "items: []", "document: {area: 县里}"])
def test_a_file_without_a_document_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(text, encoding="utf-8")
    result, _, code = refused(str(path))
    assert code == 1
    assert any(fault.startswith("document") for fault in result["errors"])
