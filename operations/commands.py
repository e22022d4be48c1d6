"""The form of every management command: one JSON object as the last line on stdout, words to stderr.

Exit code 0: done; 1: the input was refused, nothing written; 2: wrong usage.
"""

import json
import re
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date
from typing import Any, Final, NoReturn

from django.core.management.base import BaseCommand, CommandParser


class Refused(Exception):
    """The input cannot be taken; the message is a Chinese sentence, details go into the JSON."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


# argparse's sentences about wrong usage, in the order in which they are tried
USAGE: Final = (
    (r"the following arguments are required: (.+)", r"缺少参数：\1"),
    (r"argument (\S+): invalid choice: '?(.*?)'? \(choose from (.+)\)", r"参数 \1 只能取 \3，现为“\2”"),
    (r"argument (\S+): expected one argument", r"参数 \1 后面要写一个值"),
    (r"argument (\S+): invalid \w+ value: '(.*)'", r"参数 \1 的值“\2”写得不对"),
    (r"unrecognized arguments: (.+)", r"不认识的参数：\1"),
    (r"argument (\S+): (.+)", r"参数 \1：\2"),
)


def usage_in_chinese(message: str) -> str:
    """Say a complaint of argparse in Chinese; one it does not know stays as it is."""
    for pattern, chinese in USAGE:
        if re.fullmatch(pattern, message):
            return re.sub(pattern, chinese, message)
    return message


class JsonCommand(BaseCommand):
    """A command whose `answer` returns the JSON object."""

    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """A parser whose complaints are Chinese and leave a JSON line, with exit code 2."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        complain: Callable[[str], NoReturn] = parser.error

        def error(message: str) -> NoReturn:
            chinese = usage_in_chinese(message)
            self.stdout.write(json.dumps({"error": chinese}, ensure_ascii=False))
            complain(chinese)

        vars(parser)["error"] = error
        return parser

    def answer(self, **options: Any) -> dict[str, Any]:
        """Do the work and return what is printed; raise Refused to end with exit code 1."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = self.answer(**options)
        except Refused as refusal:
            self.stderr.write(str(refusal))
            self.stdout.write(
                json.dumps({"error": str(refusal), **refusal.details}, ensure_ascii=False, default=str)
            )
            sys.exit(1)
        self.stdout.write(json.dumps(result, ensure_ascii=False, default=str))


def parse_month(text: str) -> date:
    """Return the first day of the month YYYY-MM; a bad one is wrong usage for argparse."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise ArgumentTypeError(f"月份应写成 YYYY-MM，例如 2026-11，现为“{text}”") from error


def parse_day(text: str) -> date:
    """Return the day YYYY-MM-DD; a bad one is wrong usage for argparse."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"日期应写成 YYYY-MM-DD，例如 2026-11-01，现为“{text}”") from error


def check_area(code: str) -> str:
    """Return the area code; Refused if it is not twelve digits."""
    if not (code.isascii() and code.isdecimal() and len(code) == 12):
        raise Refused(f"区划代码应为 12 位数字，现为“{code}”")
    return code
