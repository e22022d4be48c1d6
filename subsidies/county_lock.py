"""One thing at a time with a county's money: the run of a month, and every step that rests on what is due.

The key stands here and nowhere else. A lock goes with its connection or transaction if the process dies.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from subsidies.refusals import MoneyRefusedError

KEY = "hashtext('month_run'), hashtext(%s)"


@contextmanager
def county_locked(county_code: str) -> Iterator[None]:
    """Hold the county across several transactions: the run of a month."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock({KEY})", [county_code])
        try:
            yield
        finally:
            cursor.execute(f"SELECT pg_advisory_unlock({KEY})", [county_code])


def county_lock(county_code: str) -> None:
    """Wait for the county, then hold it to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({KEY})", [county_code])


def county_lock_or_refuse(county_code: str) -> None:
    """Hold the county to the end of the transaction; where a person waits for the page, refuse instead of waiting.

    Raises MoneyRefusedError while a month is run or a batch is built.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_xact_lock({KEY})", [county_code])
        if not cursor.fetchone()[0]:
            raise MoneyRefusedError("本县正在核定月份或生成批次，完成之前不能办理；请等几分钟再试")
