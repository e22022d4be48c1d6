"""Typst in a process of its own: its caches never shrink, so the memory goes back when the process ends.

Reads one JSON object from standard input: template, root, fonts (folders), data (text), tags, format; writes the
document to standard output. Imports nothing of the portal.
"""

import json
import resource
import sys
from typing import Any

import typst

MEMORY = 4 * 2**30


def compiled(order: dict[str, Any]) -> bytes:
    """Compile one template; of pictures the first page."""
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=list(order["fonts"])
    )
    pages = typst.compile(
        order["template"],
        root=order["root"],
        font_paths=fonts,
        format=order["format"],
        sys_inputs={"data": order["data"]},
        pdf_tags=order["tags"],
        ppi=order["ppi"],
    )
    return pages if isinstance(pages, bytes) else pages[0]


def main() -> int:
    """Compile what standard input asks for; a fault goes to standard error."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        sys.stdout.buffer.write(compiled(json.load(sys.stdin)))
    except typst.TypstError as error:
        sys.stderr.write(error.diagnostic or error.message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
