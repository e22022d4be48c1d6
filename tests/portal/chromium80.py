"""What came after Chromium 80, in scripts and styles: a list of each, and finders that read real syntax trees."""

from collections.abc import Iterator
from typing import Any, Final

import tinycss2
import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

JAVASCRIPT: Final = Parser(Language(tree_sitter_javascript.language()))

#: Names of methods and properties, with the version that brought them.
METHODS: Final = {
    "at": 92,
    "replaceAll": 85,
    "hasOwn": 93,
    "findLast": 97,
    "findLastIndex": 97,
    "toSorted": 110,
    "toReversed": 110,
    "toSpliced": 110,
    "groupBy": 117,
    "fromAsync": 121,
    "withResolvers": 119,
    "randomUUID": 92,
    "replaceChildren": 86,
    "checkVisibility": 105,
    "showPopover": 114,
    "showPicker": 99,
    "startViewTransition": 111,
    "userAgentData": 90,
    "isWellFormed": 111,
    "canParse": 120,
    "intersection": 122,
    "union": 122,
    "difference": 122,
    "inert": 102,
}
#: Static members whose plain name is older than the member: object.member.
MEMBERS: Final = {
    ("Promise", "any"): 85,
    ("Promise", "try"): 128,
    ("AbortSignal", "timeout"): 103,
    ("AbortSignal", "any"): 116,
    ("Response", "json"): 105,
    ("Intl", "Segmenter"): 87,
}
GLOBALS: Final = {
    "structuredClone": 98,
    "WeakRef": 84,
    "FinalizationRegistry": 84,
    "AggregateError": 85,
    "EyeDropper": 95,
    "scheduler": 94,
    "reportError": 95,
    "navigation": 102,
}
OPERATORS: Final = {"??=": 85, "||=": 85, "&&=": 85}
SYNTAX: Final = {"private_property_identifier", "class_static_block", "import_attribute"}
NAMES: Final = {"identifier", "shorthand_property_identifier_pattern"}
FUNCTIONS: Final = {
    "function_declaration",
    "function_expression",
    "arrow_function",
    "method_definition",
    "generator_function",
    "generator_function_declaration",
}

PROPERTIES: Final = {
    "inset": 87,
    "inset-block": 87,
    "inset-inline": 87,
    "margin-inline": 87,
    "margin-block": 87,
    "padding-inline": 87,
    "padding-block": 87,
    "aspect-ratio": 88,
    "accent-color": 93,
    "content-visibility": 85,
    "contain-intrinsic-size": 83,
    "translate": 104,
    "rotate": 104,
    "scale": 104,
    "text-underline-offset": 87,
    "text-decoration-thickness": 89,
    "color-scheme": 81,
    "appearance": 84,
    "scrollbar-width": 121,
    "scrollbar-color": 121,
    "scrollbar-gutter": 94,
    "text-wrap": 114,
    "field-sizing": 123,
    "container-type": 105,
    "container": 105,
    "view-transition-name": 111,
    "mask-image": 120,
}
SELECTORS: Final = {
    "is": 88,
    "where": 88,
    "has": 105,
    "focus-visible": 86,
    "user-valid": 119,
    "user-invalid": 119,
    "autofill": 110,
    "modal": 105,
    "popover-open": 114,
    "marker": 86,
    "file-selector-button": 89,
}
UNITS: Final = dict.fromkeys(("dvh", "svh", "lvh", "dvw", "svw", "lvw", "cqw", "cqh", "lh", "rlh"), 108)
CSS_FUNCTIONS: Final = {
    "color-mix": 111,
    "oklch": 111,
    "oklab": 111,
    "lab": 111,
    "lch": 111,
    "image-set": 113,
}
AT_RULES: Final = {"container": 105, "layer": 99, "property": 85, "scope": 118, "starting-style": 117}
GAPS: Final = {"gap", "row-gap", "column-gap"}


def script_faults(source: str) -> list[str]:
    """Everything in a script that Chromium 80 does not know, as «line: what»."""
    root = JAVASCRIPT.parse(source.encode()).root_node
    found = [f"{node.start_point.row + 1}: {what}" for node in _nodes(root) for what in _in_script(node)]
    return found + (["0: not readable"] if root.has_error else [])


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _text(node: Node | None) -> str:
    return node.text.decode() if node is not None and node.text is not None else ""


def _in_script(node: Node) -> Iterator[str]:
    kind, text = node.type, _text(node)
    if kind in OPERATORS or kind in SYNTAX:
        yield kind
    elif kind == "await_expression" and not _inside_function(node):
        yield "top-level await"
    elif kind == "regex_flags" and set(text) & set("dv"):
        yield f"flag {text}"
    elif kind == "member_expression":
        yield from _in_member(node)
    elif text in (GLOBALS if kind == "identifier" else METHODS) and kind in NAMES:
        yield text


def _in_member(node: Node) -> Iterator[str]:
    name, owner = _text(node.child_by_field_name("property")), _text(node.child_by_field_name("object"))
    called = node.parent is not None and node.parent.type == "call_expression"
    # `at` is a good name for a time too: only as a method is it the younger one
    if (name in METHODS and (called or name != "at")) or (owner, name) in MEMBERS:
        yield f"{owner}.{name}"


def _inside_function(node: Node) -> bool:
    above = node.parent
    while above is not None and above.type not in FUNCTIONS:
        above = above.parent
    return above is not None


def style_faults(source: str) -> list[str]:
    """Everything in a style sheet that Chromium 80 does not know, as «line: what»."""
    return list(_in_rules(tinycss2.parse_stylesheet(source, skip_comments=True, skip_whitespace=True)))


def _in_rules(rules: list[Any]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "error":
            yield f"{rule.source_line}: not readable"
        elif rule.type == "at-rule":
            yield from _in_at_rule(rule)
        elif rule.type == "qualified-rule":
            yield from (f"{rule.source_line}: {what}" for what in _in_selector(rule.prelude))
            yield from _in_block(rule.content)


def _in_at_rule(rule: Any) -> Iterator[str]:
    name = rule.lower_at_keyword
    if name in AT_RULES:
        yield f"{rule.source_line}: @{name}"
    if name in {"media", "supports"}:
        condition = tinycss2.serialize(rule.prelude)
        if any(sign in condition for sign in "<>") or "selector(" in condition:
            yield f"{rule.source_line}: @{name} {condition.strip()}"
        yield from _in_rules(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True))


def _in_selector(prelude: list[Any]) -> Iterator[str]:
    for before, token in zip([None, *prelude], prelude, strict=False):
        if before is None or before.type != "literal" or before.value != ":":
            continue
        name = getattr(token, "lower_name", getattr(token, "lower_value", ""))
        if name in SELECTORS:
            yield f":{name}"
        if token.type == "function" and name == "not":
            if any(part.type == "literal" and part.value == "," for part in token.arguments):
                yield ":not() of a list"
            yield from _in_selector(token.arguments)


def _in_block(content: list[Any]) -> Iterator[str]:
    parts = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    declared = {
        part.lower_name: tinycss2.serialize(part.value) for part in parts if part.type == "declaration"
    }
    for part in parts:
        if part.type == "error":
            yield f"{part.source_line}: not readable"
        elif part.type == "qualified-rule":
            yield f"{part.source_line}: nested rule"
        elif part.type == "declaration":
            yield from (f"{part.source_line}: {what}" for what in _in_declaration(part, declared))


def _in_declaration(part: Any, declared: dict[str, str]) -> Iterator[str]:
    name = part.lower_name
    if name in PROPERTIES:
        yield name
    # In a grid gap is old, in a flex box it came with 84: only a rule that makes the grid itself may set it.
    if name in GAPS and not _is_grid(declared):
        yield f"{name} outside a grid"
    yield from _in_values(part.value)


def _is_grid(declared: dict[str, str]) -> bool:
    return "grid" in declared.get("display", "") or any(name.startswith("grid-template") for name in declared)


def _in_values(values: list[Any]) -> Iterator[str]:
    for token in values:
        if token.type == "dimension" and token.lower_unit in UNITS:
            yield token.lower_unit
        if token.type == "function":
            if token.lower_name in CSS_FUNCTIONS:
                yield f"{token.lower_name}()"
            yield from _in_values(token.arguments)
