"""The area tree at the left of lists: the user's areas, opened down to the chosen one, the rest on demand."""

import re
from dataclasses import dataclass, field
from typing import Final

from organization.areas import area_prefix, parent_code
from organization.models import Area, User

CODE: Final = re.compile(r"\d{12}\Z")


@dataclass
class Node:
    """One area of the tree; children None: not read yet."""

    code: str
    name: str
    is_leaf: bool
    children: list["Node"] | None = None


@dataclass(frozen=True)
class Tree:
    """Top nodes, the chosen area and the codes that stand open."""

    roots: list[Node]
    chosen: str = ""
    chosen_name: str = ""
    open: frozenset[str] = field(default_factory=frozenset)


def tree_for(user: User, chosen: str) -> Tree:
    """The user's areas with their children, and the path to the chosen area, in one query."""
    chosen = chosen if CODE.match(chosen) else ""
    roots = {
        a.area_id: a.area for a in user.active_assignments if area_prefix(a.area_id) in user.area_prefixes()
    }
    path = _path(chosen, set(roots))
    opened = set(roots) | {code for code in path if len(area_prefix(code)) < 12}
    below: dict[str, list[Node]] = {code: [] for code in opened}
    names = {area.code: area.name for area in roots.values()}
    for area in Area.objects.current().filter(parent_id__in=opened).order_by("code"):
        below[area.parent_id or ""].append(_node(area))
        names[area.code] = area.name
    nodes = [_node(area) for area in sorted(roots.values(), key=lambda area: area.code)]
    for node in nodes:
        _attach(node, below)
    return Tree(nodes, chosen if chosen in names else "", names.get(chosen, ""), frozenset(opened))


def children_of(code: str) -> list[Node]:
    """Nodes one level below."""
    return [_node(area) for area in Area.objects.current().children_of(code).order_by("code")]


def _node(area: Area) -> Node:
    return Node(area.code, area.name, is_leaf=len(area_prefix(area.code)) == 12)


def _attach(node: Node, below: dict[str, list[Node]]) -> None:
    if node.code in below:
        node.children = below[node.code]
        for child in node.children:
            _attach(child, below)


def _path(code: str, roots: set[str]) -> set[str]:
    """The chosen area and those above it up to a root; empty if it lies under none."""
    path: set[str] = set()
    current: str | None = code
    while current and current not in roots:
        path.add(current)
        current = parent_code(current)
    return path if current else set()
