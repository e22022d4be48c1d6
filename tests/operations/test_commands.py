"""Every command ends with one JSON line and the right exit code."""

import json
from argparse import ArgumentTypeError
from datetime import date
from typing import Any

import pytest
from django.core.management import call_command

from operations.commands import JsonCommand, Refused, parse_day, parse_month, usage_in_chinese


class Answering(JsonCommand):
    def answer(self, **options: Any) -> dict[str, Any]:
        self.stderr.write("正在读取")
        return {"rows": 3, "name": "张测"}


class Refusing(JsonCommand):
    def answer(self, **options: Any) -> dict[str, Any]:
        raise Refused("第 3 行缺姓名", rows=3)


def test_the_answer_is_one_json_line_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    call_command(Answering())
    out, err = capsys.readouterr()
    assert json.loads(out.splitlines()[-1]) == {"rows": 3, "name": "张测"} and "正在读取" in err


def test_a_refusal_ends_with_exit_code_1_and_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command(Refusing())
    out, err = capsys.readouterr()
    assert (
        ended.value.code == 1
        and json.loads(out) == {"error": "第 3 行缺姓名", "rows": 3}
        and "第 3 行" in err
    )


def test_a_month_is_read_as_its_first_day() -> None:
    assert parse_month("2026-11") == date(2026, 11, 1)


@pytest.mark.parametrize("text", ["2026-13", "2026/11", "202611", "2026-1", "今天", ""])
def test_other_forms_of_a_month_are_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="YYYY-MM"):
        parse_month(text)


@pytest.mark.parametrize(
    ("message", "chinese"),
    [
        ("the following arguments are required: M, --output", "缺少参数：M, --output"),
        (
            "argument --by: invalid choice: 'person' (choose from 'county', 'tier')",
            "参数 --by 只能取 'county', 'tier'，现为“person”",
        ),
        ("argument --area: expected one argument", "参数 --area 后面要写一个值"),
        ("argument BATCH: invalid int value: 'abc'", "参数 BATCH 的值“abc”写得不对"),
        ("unrecognized arguments: --frob", "不认识的参数：--frob"),
        ("argument M: 月份应写成 YYYY-MM", "参数 M：月份应写成 YYYY-MM"),
    ],
)
def test_wrong_usage_is_said_in_chinese(message: str, chinese: str) -> None:
    assert usage_in_chinese(message) == chinese


def test_wrong_usage_ends_with_exit_code_2_and_a_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        Answering().run_from_argv(["manage.py", "answering", "--frob"])
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert json.loads(out) == {"error": "不认识的参数：--frob"} and "不认识的参数" in err


@pytest.mark.parametrize("text", ["2025-02-30", "2025/02/03", "今天"])
def test_a_day_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="YYYY-MM-DD"):
        parse_day(text)
