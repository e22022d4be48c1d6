"""The form of every management command: one JSON object as the last line on stdout, words to stderr.

Exit code 0: done; 1: the input was refused, nothing written; 2: wrong usage.
"""

import json
import sys
from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand


class Refused(Exception):
    """The input cannot be taken; the message is a Chinese sentence, details go into the JSON."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class JsonCommand(BaseCommand):
    """A command whose `answer` returns the JSON object."""

    requires_system_checks: list[str] = []

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


def check_area(code: str) -> str:
    """Return the area code; Refused if it is not twelve digits."""
    if not (code.isascii() and code.isdecimal() and len(code) == 12):
        raise Refused(f"区划代码应为 12 位数字，现为“{code}”")
    return code
