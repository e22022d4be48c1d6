"""Published versions × wanted ones → what to write. A published day is never rewritten.

Ranges of days are half-open; `until` None is open. One call sees the versions of one thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Version:
    """A version over [since, until); row: primary key of a published one, else None."""

    since: date
    until: date | None
    content: str
    row: int | None = None


@dataclass(slots=True)
class Plan:
    """create: (index of the wanted version, until); ends: row → new until; kept: rows; refused: sentences."""

    create: list[tuple[int, date | None]] = field(default_factory=list)
    ends: dict[int, date] = field(default_factory=dict)
    kept: set[int | None] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)

    @property
    def unchanged(self) -> int:
        """How many wanted versions stand there already and stay as they are."""
        return len(self.kept - self.ends.keys())


def plan_versions(published: Sequence[Version], wanted: Sequence[Version]) -> Plan:
    """Decide version by version, earliest first: keep, end, add, or refuse."""
    plan = Plan()
    line = sorted(
        [Version(v.since, v.until, v.content, v.row) for v in published], key=lambda version: version.since
    )
    added: list[tuple[int, Version]] = []
    for index in sorted(range(len(wanted)), key=lambda index: wanted[index].since):
        new = wanted[index]
        same = next((version for version in line if version.since == new.since), None)
        if same is not None:
            _keep(plan, line, same, new)
        elif line and new.since < line[-1].since:
            plan.refused.append(
                f"会改写已发布的版本：{line[-1].since} 起的版本已发布，不能再加 {new.since} 起的；from 要更晚"
            )
        else:
            if line:
                _end(plan, line[-1], new.since)
            line.append(Version(new.since, new.until, new.content))
            added.append((index, line[-1]))
    plan.create = [(index, version.until) for index, version in added]
    return plan


def _keep(plan: Plan, line: list[Version], same: Version, new: Version) -> None:
    """The wanted version is published already: it may only gain its end."""
    superseded = any(version.since == same.until for version in line)
    if same.content != new.content:
        plan.refused.append(
            f"会改写已发布的版本：{same.since} 起的内容已发布；要修改请把 from 写成新标准的执行日"
        )
    elif new.until == same.until or (superseded and not _ends_before(new.until, same.until)):
        plan.kept.add(same.row)
    elif new.until is not None and same.until is None:
        _end(plan, same, new.until)
    else:
        written = "长期有效" if same.until is None else f"有效到 {same.until - ONE_DAY}"
        plan.refused.append(f"会改写已发布的版本：{same.since} 起的版本已公布{written}，不能再改 to")


def _end(plan: Plan, version: Version, until: date) -> None:
    """End a version on the day before `until`, unless it ended before."""
    if version.until is not None and version.until <= until:
        return
    version.until = until
    if version.row is not None:
        plan.ends[version.row] = until


def _ends_before(until: date | None, other: date | None) -> bool:
    return until is not None and (other is None or until < other)
