"""Phone and public pages keep to what Chromium 80 knows: their scripts and styles are read, not guessed at."""

import re
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings

from portal.views import phone_pages
from tests.portal.chromium80 import script_faults, style_faults

TEMPLATES: Final = Path(settings.BASE_DIR) / "templates"
STATIC: Final = TEMPLATES / "static"
# portal.js and portal.css are loaded by every page, the public ones among them
SCRIPTS: Final = sorted([*STATIC.glob("phone/*.js"), STATIC / "portal" / "portal.js"])
STYLES: Final = sorted([*STATIC.glob("phone/*.css"), STATIC / "portal" / "portal.css"])
PAGES: Final = sorted(
    [*TEMPLATES.glob("phone/*.html"), *TEMPLATES.glob("public/*.html"), TEMPLATES / "base.html"]
)
# What an older browser leaves out without harm, each for a reason of its own.
HARMLESS: Final = {
    "portal.css": {
        ":focus-visible",  # alone in its rule: without it the browser draws its own focus ring
        "accent-color",  # the bar is coloured by ::-webkit-progress-value below it
    }
}

LATER_SCRIPTS: Final = [
    "let a; a ??= 1;",
    "let a; a ||= 1;",
    "let a; a &&= 1;",
    "[1].at(-1);",
    "'a'.replaceAll('a', 'b');",
    "structuredClone({});",
    "Promise.any([]);",
    "Object.hasOwn({}, 'a');",
    "crypto.randomUUID();",
    "const { randomUUID } = crypto;",
    "[1].findLast(Boolean);",
    "[1].toSorted();",
    "Object.groupBy([], String);",
    "document.body.replaceChildren();",
    "AbortSignal.timeout(5);",
    "Response.json({});",
    "new WeakRef({});",
    "await fetch('/');",
    "const f = 1; await f;",
    "class A { #a = 1; }",
    "class A { static { this.a = 1; } }",
    "/a/v.test('a');",
    "/a/d.exec('a');",
    "import a from './a.json' with { type: 'json' };",
    "let a = ;",
]
KNOWN_SCRIPTS: Final = [
    "const a = { b: null }; a?.b ?? 1;",
    "async function f() { await fetch('/'); for await (const a of b) { a; } }",
    "const { a, ...rest } = b; [...a, ...rest].flatMap(String);",
    "Promise.allSettled([]); [1].includes(1); 'a'.padStart(2);",
    "/(?<year>\\d+)(?<=a)/su.test('a');",
    "class A { b = 1; async *c() { yield 1n; } }",
    "attach(at => at); const at = { at: 1 }; at.at;",
]
LATER_STYLES: Final = [
    ".a { display: flex; gap: 8px }",
    ".a { display: inline-flex; column-gap: 8px }",
    ".a { gap: 8px }",
    ".a { inset: 0 }",
    ".a { aspect-ratio: 1 }",
    ".a { accent-color: red }",
    ".a { margin-inline: 8px }",
    ".a { rotate: 3deg }",
    ".a { appearance: none }",
    ".a { height: 100dvh }",
    ".a { height: calc(100svh - 8px) }",
    ".a { color: color-mix(in srgb, red, blue) }",
    ":is(.a, .b) { color: red }",
    ":where(.a) { color: red }",
    ".a:has(.b) { color: red }",
    ".a:not(.b, .c) { color: red }",
    ".a:not(:is(.b)) { color: red }",
    ".a:focus-visible { color: red }",
    ".a::marker { color: red }",
    ".a { .b { color: red } }",
    "@container (min-width: 1px) { .a { color: red } }",
    "@layer a { .a { color: red } }",
    "@media (width >= 640px) { .a { color: red } }",
    "@supports selector(:has(a)) { .a { color: red } }",
    "@media print { .a { inset: 0 } }",
    ".a { color }",
]
KNOWN_STYLES: Final = [
    ".a { display: grid; gap: 8px; grid-template-columns: repeat(3, minmax(0, 1fr)) }",
    ".a { grid-template-columns: 1fr; gap: 8px }",
    ".a:not(.b):focus::before { width: min(100%, calc(1px + 2vh)) }",
    "@media (min-width: 640px) { .a { position: sticky; top: env(safe-area-inset-top) } }",
    "@supports (display: grid) { .a { overflow-wrap: anywhere } }",
]


@pytest.mark.parametrize("source", LATER_SCRIPTS)
def test_a_script_of_a_later_browser_is_found(source: str) -> None:
    assert script_faults(source)


@pytest.mark.parametrize("source", KNOWN_SCRIPTS)
def test_a_script_that_chromium_80_knows_is_let_through(source: str) -> None:
    assert script_faults(source) == []


@pytest.mark.parametrize("source", LATER_STYLES)
def test_a_style_of_a_later_browser_is_found(source: str) -> None:
    assert style_faults(source)


@pytest.mark.parametrize("source", KNOWN_STYLES)
def test_a_style_that_chromium_80_knows_is_let_through(source: str) -> None:
    assert style_faults(source) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_of_phone_and_public_pages_keep_to_chromium_80(path: Path) -> None:
    assert script_faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_of_phone_and_public_pages_keep_to_chromium_80(path: Path) -> None:
    harmless = HARMLESS.get(path.name, set())
    found = style_faults(path.read_text(encoding="utf-8"))
    assert [fault for fault in found if fault.split(": ", 1)[1] not in harmless] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_phone_and_public_pages_hold_no_script_or_style_of_their_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text) == []


def test_the_app_names_every_script_that_it_has() -> None:
    found = {f"phone/{path.name}" for path in STATIC.glob("phone/*.js")} - {"phone/sw.js"}
    assert set(phone_pages.SCRIPTS) == found
