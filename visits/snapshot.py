"""A county's accepted month as one text whose sha256 anybody can check, and what it must still agree with."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from organization.models import Area, User
from visits.choices import ExemptReason
from visits.models import Obligation, RateSnapshot, VisitMonth
from visits.months import township_sql
from visits.rate import DEFINITION, DEFINITION_VERSION, Division, Figure, rate_lines, rate_whole

FORMAT: Final = 1


@dataclass(frozen=True)
class SnapshotCheck:
    """What a snapshot was checked for. computed: sha256 of the kept text as it is now."""

    computed: str
    untouched: bool
    adds_up: bool
    as_today: bool

    @property
    def holds(self) -> bool:
        """Nothing about the snapshot is in doubt."""
        return self.untouched and self.adds_up and self.as_today


def digest_of(body: str) -> str:
    """Return the sha256 of a text's UTF-8 bytes, in hexadecimal."""
    return sha256(body.encode()).hexdigest()


def canonical(content: dict[str, Any]) -> str:
    """Write JSON in the one form that has this content: sorted keys, no spaces, characters as they are.

    >>> canonical({"b": 1, "a": ["村"]})
    '{"a":["村"],"b":1}'
    """
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def snapshot_body(*, month: date, county_code: str, taken_at: datetime, taken_by: User) -> str:
    """Give the text of a county's month: counts per village, tier and worker, and the way of every township."""
    rows = _rows(month, county_code)
    names = Area.objects.filter(code__in={row["village"] for row in rows} | {county_code})
    return canonical(
        {
            "format": FORMAT,
            "month": f"{month:%Y-%m}",
            "county": county_code,
            "taken_at": _moment(taken_at),
            "taken_by": str(taken_by),
            "definition": {"version": DEFINITION_VERSION, "words": [list(pair) for pair in DEFINITION]},
            "areas": dict(names.values_list("code", "name")),
            "rows": rows,
            "total": _total(rows),
            "townships": [_township(row) for row in _townships(month, county_code)],
        }
    )


def snapshot_content(snapshot: RateSnapshot) -> dict[str, Any]:
    """Read the text of a snapshot."""
    content: dict[str, Any] = json.loads(snapshot.body)
    return content


def snapshot_check(snapshot: RateSnapshot) -> SnapshotCheck:
    """Compute the sha256 again, add the rows up again, and compare with the locked obligations as they stand."""
    computed = digest_of(snapshot.body)
    content = snapshot_content(snapshot)
    obligations = Obligation.objects.filter(county_code=snapshot.county_code)
    now = rate_whole(rate_lines(obligations=obligations, month=snapshot.month, by=Division.TIER))
    total = content["total"]
    return SnapshotCheck(
        computed=computed,
        untouched=computed == snapshot.sha256,
        adds_up=total == _total(content["rows"])
        and (total["obliged"], total["visited"]) == _sums(content["townships"]),
        as_today=total == _as_total(now),
    )


def _rows(month: date, county_code: str) -> list[dict[str, Any]]:
    """Counts per village of residence, tier and worker, in this order."""
    reasons = ", ".join(
        f"count(*) FILTER (WHERE o.exempt_reason = '{reason}')" for reason in ExemptReason.values
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT o.area_code, t.code, min(t.name), o.assignee_id, min(coalesce(nullif(u.full_name, ''), u.username)),
                   count(*) FILTER (WHERE o.exempt_reason = ''), count(*) FILTER (WHERE o.met), {reasons}
            FROM visits_obligation o
            JOIN catalog_visittier t ON t.id = o.tier_id LEFT JOIN organization_user u ON u.id = o.assignee_id
            WHERE o.month = %s AND o.county_code = %s
            GROUP BY o.area_code, t.code, o.assignee_id
            ORDER BY o.area_code, t.code, o.assignee_id NULLS LAST""",
            [month, county_code],
        )
        return [
            {
                "village": village,
                "tier": tier,
                "tier_name": tier_name,
                "worker": worker,
                "worker_name": worker_name or "",
                "obliged": obliged,
                "visited": visited,
                "exempt": {r: n for r, n in zip(ExemptReason.values, exempt, strict=True) if n},
            }
            for village, tier, tier_name, worker, worker_name, obliged, visited, *exempt in cursor.fetchall()
        ]


def _townships(month: date, county_code: str) -> list[VisitMonth]:
    """The townships of the month that have obligations."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT {township_sql('o.area_code', 'o.county_code')} FROM visits_obligation o"
            " WHERE o.month = %s AND o.county_code = %s",
            [month, county_code],
        )
        codes = [code for (code,) in cursor.fetchall()]
    rows = VisitMonth.objects.filter(month=month, county_code=county_code, area_code__in=codes)
    return list(rows.select_related("submitted_by", "accepted_by").order_by("area_code"))


def _township(row: VisitMonth) -> dict[str, Any]:
    return {
        "township": row.area_code,
        "obliged": row.obliged,
        "visited": row.visited,
        "note": row.note,
        "submitted_by": str(row.submitted_by or ""),
        "submitted_at": _moment(row.submitted_at),
        "accepted_by": str(row.accepted_by or ""),
        "accepted_at": _moment(row.accepted_at),
    }


def _total(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    whole = sum((Figure(row["obliged"], row["visited"], row["exempt"]) for row in rows), Figure())
    return _as_total(whole)


def _as_total(figure: Figure) -> dict[str, Any]:
    return {"obliged": figure.obliged, "visited": figure.met, "exempt": figure.exempt}


def _sums(townships: list[dict[str, Any]]) -> tuple[int, int]:
    return sum(row["obliged"] for row in townships), sum(row["visited"] for row in townships)


def _moment(at: datetime | None) -> str:
    """A moment in Shanghai with its offset; '' for none."""
    return timezone.localtime(at).isoformat(timespec="seconds") if at else ""
