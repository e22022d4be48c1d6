"""Rival (b) of the month: OpenFisca-core with the list's cash rules.

Loads the facts that these rules ask for, pivoted by PostgreSQL and read as binary COPY straight into numpy; calculates;
stores elder, item and amount by binary COPY and indexes them. The gate, other items, counts and visits are left out.
"""

import time
from datetime import date
from typing import Final

import numpy as np
from django.db import connection, transaction
from openfisca_core.simulations import SimulationBuilder

from benchmarks.rivals.openfisca_list import FACT_COLUMNS, FLAGS, ITEMS, NUMBERS, PENDING, Array, cash_list

PERIOD: Final = "2026-11"
# Circumstances as of, age as of. Every value is an int4, so that all rows have one width.
READINGS: Final = {"opening": ("2026-11-01", "2026-10-31"), "closing": ("2026-11-30", "2026-11-30")}
SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"

ROW: Final = np.dtype(
    [("columns", ">i2")]
    + [part for name in ("id", *FACT_COLUMNS) for part in ((f"{name}_bytes", ">i4"), (name, ">i4"))]
)
MONTH_DAYS: Final = (date.fromisoformat(f"{PERIOD}-01") - date(2000, 1, 1)).days
# numeric as PostgreSQL sends it: digits to the base of 10,000, so that whole 元 below it are one digit
KEYS: Final = [("columns", ">i2"), ("month_bytes", ">i4"), ("month", ">i4"), ("elder_bytes", ">i4"), ("elder", ">i8"),
               ("item_bytes", ">i4"), ("item", ">i8"), ("amount_bytes", ">i4")]  # fmt: skip
AMOUNT: Final = [("digits", ">i2"), ("weight", ">i2"), ("sign", ">i2"), ("scale", ">i2"), ("digit", ">i2")]
PAID: Final = np.dtype(KEYS + AMOUNT)
UNPAID: Final = np.dtype(KEYS)


def clear() -> None:
    """Forget the former run."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS rival_cash")


def run() -> dict[str, float]:
    """Load, calculate, store; return the seconds of each."""
    marks = [time.perf_counter()]
    facts = load()
    marks.append(time.perf_counter())
    results = calculate(facts)
    marks.append(time.perf_counter())
    store(facts["id"], results)
    marks.append(time.perf_counter())
    names = ("load", "calculate", "store")
    return {name: round(end - start, 3) for name, start, end in zip(names, marks, marks[1:], strict=False)}


def load() -> Array:
    """Facts as a numpy record array."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '256MB'")
        with cursor.copy(f"COPY ({facts_select()}) TO STDOUT (FORMAT binary)") as copy:
            content = b"".join(copy)
    rows = (len(content) - len(SIGNATURE) - len(TRAILER)) // ROW.itemsize
    return np.frombuffer(content, ROW, count=rows, offset=len(SIGNATURE))


def calculate(facts: Array) -> dict[str, Array]:
    """元 per person of every item; for items without a standard whether the person is entitled."""
    simulation = SimulationBuilder().build_default_simulation(cash_list(), count=len(facts))
    for name in FACT_COLUMNS:
        kind = bool if name.rsplit("_", 1)[0] in FLAGS else np.int32
        simulation.set_input(name, PERIOD, facts[name].astype(kind))
    return {code: simulation.calculate(code, PERIOD) for code in ITEMS}


def store(ids: Array, results: dict[str, Array]) -> None:
    """Write elder, item and amount of who is entitled, then index them as our entitlements are."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE rival_cash (month date NOT NULL, elder_id bigint NOT NULL, item_id bigint NOT NULL,"
            " amount numeric(12, 2))"
        )
        cursor.execute(
            "SELECT code, id FROM catalog_item WHERE document_id = (SELECT max(document_id) FROM catalog_item)"
        )
        items = dict(cursor.fetchall())
        with cursor.copy("COPY rival_cash FROM STDIN (FORMAT binary)") as copy:
            copy.write(SIGNATURE)
            for code, amounts in results.items():
                copy.write(_rows(ids, items[code], amounts, is_paid=code not in PENDING).tobytes())
            copy.write(TRAILER)
        cursor.execute("CREATE INDEX ON rival_cash (elder_id)")
        cursor.execute("CREATE INDEX ON rival_cash (item_id)")
        cursor.execute("ANALYZE rival_cash")


def _rows(ids: Array, item_id: int, amounts: Array, *, is_paid: bool) -> Array:
    """Rows of one item in the form of a binary COPY."""
    entitled = amounts > 0
    rows = np.zeros(int(entitled.sum()), PAID if is_paid else UNPAID)
    rows["columns"], rows["month_bytes"], rows["elder_bytes"], rows["item_bytes"] = 4, 4, 8, 8
    rows["month"], rows["elder"], rows["item"] = MONTH_DAYS, ids[entitled], item_id
    rows["amount_bytes"] = 10 if is_paid else -1
    if is_paid:
        rows["digits"], rows["scale"], rows["digit"] = 1, 2, amounts[entitled]
    return rows


def facts_select() -> str:
    """SELECT of one row per elder: id, then FACT_COLUMNS, as int4."""
    pivots, columns = [], []
    for reading, (day, age_day) in READINGS.items():
        held = f"(lower(valid) <= '{day}' AND (upper(valid) IS NULL OR upper(valid) > '{day}'))"
        known = f"{held} AND lower(valid) > date '{day}' - interval '12 months'"
        gone_before = "<" if reading == "opening" else "<="
        pivots += [
            f"bool_or(value LIKE '990101%') FILTER (WHERE kind = 'hukou' AND {held}) AS hukou_{reading}",
            f"bool_or(value LIKE '990101%') FILTER (WHERE kind = 'residence' AND {held}) AS residence_{reading}",
            f"bool_or(lower(valid) {gone_before} '{day}') FILTER (WHERE kind IN ('death', 'moved_out') AND {held})"
            f" AS gone_{reading}",
            _number("destitute", held, "CASE value WHEN '分散' THEN 1 ELSE 2 END", 0, reading),
            _number("ability_level", known, "value::int", -1, reading),
            _number("disability_level", held, "value::int", -1, reading),
            _number("family_planning", held, "CASE value WHEN '独生子女死亡' THEN 1 ELSE 2 END", 0, reading),
            *(_number(kind, held, "1", 0, reading) for kind in FLAGS[2:]),
        ]
        here = f"coalesce(hukou_{reading}, false)"
        columns += [
            f"extract(year FROM age(date '{age_day}', e.birth_date))::int",
            *(f"{name}_{reading}" for name in NUMBERS[1:]),
            f"(({here} OR coalesce(residence_{reading}, false)) AND gone_{reading} IS NOT TRUE)::int",
            f"{here}::int",
            *(f"{name}_{reading}" for name in FLAGS[2:]),
        ]
    return (
        f"SELECT e.id::int, {', '.join(columns)} FROM eldercare_elder e JOIN"
        f" (SELECT elder_id, {', '.join(pivots)} FROM eldercare_circumstance GROUP BY elder_id) c ON c.elder_id = e.id"
    )


def _number(kind: str, held: str, value: str, absent: int, reading: str) -> str:
    return f"coalesce(max({value}) FILTER (WHERE kind = '{kind}' AND {held}), {absent}) AS {kind}_{reading}"
