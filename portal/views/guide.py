"""The user guide: the Chinese pages of docs/guide, one per screen."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from organization.choices import Permission
from organization.permissions import SignedInRequest, requires

FOLDER: Final = Path(settings.BASE_DIR) / "docs" / "guide"
NAME: Final = re.compile(r"\d\d-(?P<slug>[a-z]+)\.md\Z")


@dataclass(frozen=True)
class Block:
    """A heading, a paragraph, or the lines of a list."""

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class GuidePage:
    """One page of the guide."""

    slug: str
    title: str
    blocks: tuple[Block, ...]


@requires(Permission.SIGNED_IN)
@require_GET
def guide(request: SignedInRequest, slug: str = "") -> HttpResponse:
    """One page of the guide, the first one without a name."""
    pages = guide_pages()
    page = next((page for page in pages if page.slug == slug), pages[0] if pages and not slug else None)
    if page is None:
        raise Http404
    return render(request, "portal/guide.html", {"pages": pages, "page": page})


@cache
def guide_pages() -> list[GuidePage]:
    """Every page in the order of its file's number."""
    found = [
        (match["slug"], path) for path in sorted(FOLDER.glob("*.md")) if (match := NAME.match(path.name))
    ]
    return [page_of(slug, path.read_text(encoding="utf-8")) for slug, path in found]


def page_of(slug: str, text: str) -> GuidePage:
    """Read a page: '# ' title, '## ' headings, '- ' or '1. ' lists, paragraphs apart by blank lines."""
    title, blocks = slug, []
    for part in re.split(r"\n\s*\n|\n(?=## )|(?<=^)(?=# )", text.strip()):
        lines = tuple(line.strip() for line in part.strip().splitlines() if line.strip())
        if not lines:
            continue
        if lines[0].startswith("# "):
            title = lines[0][2:]
        elif lines[0].startswith("## "):
            blocks.append(Block("heading", (lines[0][3:],)))
            blocks += [_block(lines[1:])] if lines[1:] else []
        else:
            blocks.append(_block(lines))
    return GuidePage(slug, title, tuple(blocks))


def _block(lines: tuple[str, ...]) -> Block:
    if all(line.startswith("- ") for line in lines):
        return Block("bullets", tuple(line[2:] for line in lines))
    if all(re.match(r"\d+\. ", line) for line in lines):
        return Block("steps", tuple(line.split(". ", 1)[1] for line in lines))
    return Block("paragraph", ("".join(lines),))
