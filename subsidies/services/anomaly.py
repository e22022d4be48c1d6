"""Finding anomalies of a run and deciding them."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from operations.services.audit import audit_record
from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from subsidies.anomalies import DUE, PAYEES, due_take, identity_mismatches, jump_percent, rules_of
from subsidies.choices import AnomalyKind, AnomalyState
from subsidies.models import Anomaly, Month, PaymentTerms
from subsidies.refusals import MoneyRefusedError
from subsidies.reported import REPORTS

FOUND = "anomaly_found"
DECISIONS = (AnomalyState.CLEARED, AnomalyState.HELD)
SHORTEST_REASON = 4
LONGEST_REASON = 200


def anomalies_refresh(*, month: Month) -> int:
    """Bring a run's anomalies in line with its due lines and with payments made; return how many stand.

    Costs one query while the portal pays no item yet in that month. A decision holds as long as its reason is the same,
    also from one month to the next; undecided rows that no longer hold go, decided ones stay.
    """
    items = _items_paid(month)
    if not items:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        run = Month.objects.get(pk=month.pk)
        today = timezone.localdate()
        due_take(cursor, month=run, items=items, today=today)
        _find(cursor, run, today)
        _keep(cursor, run)
        return run.anomalies.count()


def anomaly_decide(
    *, anomaly_ids: Sequence[int], state: str, reason: str, actor: User, was: str = AnomalyState.OPEN
) -> int:
    """Decide anomalies, 放行 or 暂缓, for one reason; return how many changed.

    was: the state in which the actor saw them; what stands otherwise by now is left alone. Only within the actor's
    areas. Raises MoneyRefusedError where none is left to decide, saying by whom it was decided.
    """
    reason = reason.strip()
    _refuse_input(anomaly_ids, state, reason)
    with transaction.atomic():
        rows = in_areas(
            Anomaly.objects.filter(pk__in=anomaly_ids),
            actor.area_prefixes(Permission.ANOMALY_DECIDE),
            "area_code",
        )
        found = list(rows.select_related("decided_by", "run").select_for_update(of=("self",)).order_by("pk"))
        open_rows = [row for row in found if row.state == was and _may_be(row, state)]
        if not open_rows:
            return _already(found, state, actor)
        for row in open_rows:
            audit_record(
                action=f"异常{state}",
                subject=f"elder:{row.elder_id}",
                actor=actor,
                data={
                    "anomaly": row.pk,
                    "month": f"{row.run.month:%Y-%m}",
                    "kind": row.kind,
                    "item": row.item_id,
                    "was": row.state,
                    "reason": reason,
                },
            )
        return Anomaly.objects.filter(pk__in=[row.pk for row in open_rows]).update(
            state=state, reason=reason, decided_by=actor, decided_at=timezone.now()
        )


def _refuse_input(anomaly_ids: Sequence[int], state: str, reason: str) -> None:
    if state not in DECISIONS:
        raise MoneyRefusedError("请选择“放行”或“暂缓”")
    if not anomaly_ids:
        raise MoneyRefusedError("没有选中异常，请先勾选要处理的行")
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise MoneyRefusedError(
            f"处理理由应为 {SHORTEST_REASON} 至 {LONGEST_REASON} 个字，例如“已电话核实，夫妻共用账户”"
        )


def _may_be(row: Anomaly, state: str) -> bool:
    """Without an account there is nothing to let through; what a visit reported is decided in its follow-up."""
    if row.kind in REPORTS:
        return False
    return row.kind != AnomalyKind.NO_ACCOUNT or state == AnomalyState.HELD


def _already(found: list[Anomaly], state: str, actor: User) -> int:
    """0 where the actor has done just this; refused otherwise."""
    if not found:
        raise MoneyRefusedError("选中的异常已不存在或不在您的区划内，请刷新后重新勾选")
    if all(row.state == state and row.decided_by_id == actor.pk for row in found):
        return 0
    if any(row.kind in REPORTS for row in found):
        raise MoneyRefusedError("探访报告去世或迁出的，核实之前一律不发；请到“跟进”中核实，核实后自动消除")
    row = next((row for row in found if row.decided_at), None)
    if row is None or row.decided_at is None:
        raise MoneyRefusedError("没有账户的不能放行，请先为其补录银行账户，再重新核定")
    at = timezone.localtime(row.decided_at)
    raise MoneyRefusedError(f"已由 {row.decided_by} 于 {at:%m-%d %H:%M} 处理为“{row.state}”，请刷新后再看")


def _items_paid(month: Month) -> list[int]:
    """Items of the county that the portal pays in the month."""
    terms = PaymentTerms.objects.filter(item__document__area=month.county_code, first_month__lte=month.month)
    return list(terms.values_list("item_id", flat=True))


def _find(cursor: CursorWrapper, run: Month, today: date) -> None:
    """Fill anomaly_found by every rule."""
    before = Month.objects.filter(
        county_code=run.county_code, month=(run.month - timedelta(days=1)).replace(day=1), revision__gt=0
    ).first()
    cursor.execute(f"DROP TABLE IF EXISTS {FOUND}")
    cursor.execute(f"""
        CREATE TEMP TABLE {FOUND} (
            elder_id bigint, item_id bigint, kind varchar, detail varchar, fingerprint varchar
        ) ON COMMIT DROP""")
    insert = f"INSERT INTO {FOUND} (elder_id, item_id, detail, fingerprint, kind)"
    for kind, sql, named in rules_of(run, before, jump_percent(run.county_code, run.month)):
        cursor.execute(f"{insert} SELECT found.*, '{kind}' FROM ({sql}) found", named)
    cursor.executemany(
        f"{insert} VALUES (%s, NULL, %s, %s, '{AnomalyKind.IDENTITY}')",
        list(identity_mismatches(cursor, today)),
    )
    cursor.execute(f"ANALYZE {FOUND}")


def _keep(cursor: CursorWrapper, run: Month) -> None:
    """Merge what was found into the run's anomalies; a new row takes over what the last run's like row was decided."""
    same = "a.elder_id = f.elder_id AND a.item_id IS NOT DISTINCT FROM f.item_id AND a.kind = f.kind"
    named: dict[str, Any] = {
        "run": run.pk,
        "county": run.county_code,
        "within": area_prefix(run.county_code),
        "month": run.month,
    }
    cursor.execute(
        f"""
        DELETE FROM subsidies_anomaly a WHERE a.run_id = %(run)s AND a.state = '{AnomalyState.OPEN}'
        AND NOT EXISTS (SELECT FROM {FOUND} f WHERE {same})""",
        named,
    )
    decided = ("state", "decided_by_id", "decided_at", "reason")
    taken = ", ".join(f"p.{column}" for column in decided[1:3])
    kept = ", ".join(
        f"{column} = CASE WHEN held.fingerprint = EXCLUDED.fingerprint THEN held.{column} ELSE {fresh} END"
        for column, fresh in zip(decided, (f"'{AnomalyState.OPEN}'", "NULL", "NULL", "''"), strict=True)
    )
    cursor.execute(
        f"""
        INSERT INTO subsidies_anomaly AS held
            (run_id, elder_id, item_id, kind, detail, fingerprint, area_code, {", ".join(decided)})
        SELECT %(run)s, f.elder_id, f.item_id, f.kind, left(f.detail, 200), f.fingerprint,
               coalesce(d.area_code, {_place_of("e")}), coalesce(p.state, '{AnomalyState.OPEN}'), {taken},
               coalesce(p.reason, '')
        FROM {FOUND} f JOIN eldercare_elder e ON e.id = f.elder_id
        LEFT JOIN {PAYEES} d ON d.elder_id = f.elder_id
        LEFT JOIN LATERAL (
            SELECT a.* FROM subsidies_anomaly a JOIN subsidies_month m ON m.id = a.run_id
            WHERE m.county_code = %(county)s AND m.month < %(month)s AND {same} ORDER BY m.month DESC LIMIT 1
        ) p ON p.fingerprint = f.fingerprint
        ON CONFLICT (run_id, elder_id, item_id, kind) DO UPDATE
        SET {kept}, detail = EXCLUDED.detail, fingerprint = EXCLUDED.fingerprint, area_code = EXCLUDED.area_code
        WHERE (held.detail, held.fingerprint, held.area_code)
              IS DISTINCT FROM (EXCLUDED.detail, EXCLUDED.fingerprint, EXCLUDED.area_code)""",
        named,
    )
    cursor.execute(f"DROP TABLE {FOUND}, {PAYEES}, {DUE}")


def _place_of(elder: str) -> str:
    """SQL of where the county sees an elder of whom nothing is due: 户籍, else 居住, else the county as a whole."""
    return (
        f"CASE WHEN starts_with({elder}.hukou_code, %(within)s) THEN {elder}.hukou_code"
        f" WHEN starts_with({elder}.residence_code, %(within)s) THEN {elder}.residence_code ELSE %(county)s END"
    )
