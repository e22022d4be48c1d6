"""Printed papers: a typst template and plain data become a PDF with its fonts inside."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from operations.fonts import lettering_for

ROOT: Final = Path(settings.BASE_DIR) / "templates" / "typst"
SECONDS: Final = 300


class PaperError(RuntimeError):
    """A paper could not be set; the message is for the log."""


def pdf(*, template: Path | str, data: Mapping[str, Any], tagged: bool = True) -> bytes:
    """Set a template of templates/typst with the data; texts print as typed, whatever they contain.

    data: mappings, sequences and plain values; money as 1,234.50, days as 2024-11-21. A character that no font has
    prints as 〓[U+20BB7]. tagged: structure for screen readers; costs much in tables of thousands of rows.
    Raises PaperError if the template fails.
    """
    return _typeset(template, data, tagged, "pdf")


def picture(*, template: Path | str, data: Mapping[str, Any], ppi: float = 100) -> bytes:
    """The first page as PNG, to be looked at."""
    return _typeset(template, data, tagged=False, form="png", ppi=ppi)


def _typeset(
    template: Path | str, data: Mapping[str, Any], tagged: bool, form: str, ppi: float = 100
) -> bytes:
    text = json.dumps(data, ensure_ascii=False, default=_plain)
    lettering = lettering_for(text)
    order = {
        "template": str(ROOT / template),
        "root": str(ROOT),
        "fonts": [str(folder) for folder in lettering.folders],
        "data": lettering.readable(text),
        "tags": tagged,
        "format": form,
        "ppi": ppi,
    }
    done = subprocess.run(  # our own module in our own interpreter; data go in as JSON
        [sys.executable, "-m", "operations.typesetting"],
        input=json.dumps(order).encode(),
        capture_output=True,
        cwd=settings.BASE_DIR,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise PaperError(f"{template}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def _plain(value: Any) -> str:
    match value:
        case Decimal():
            return f"{value:,.2f}"
        case datetime():
            return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
    raise TypeError(f"{type(value).__name__} in a paper's data")
