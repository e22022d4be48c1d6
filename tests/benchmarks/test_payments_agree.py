"""The row-by-row rival says of a return what the portal says: only then do their times compare."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection

from benchmarks import payment_county as county
from benchmarks.rivals import payments_row_by_row as rival
from subsidies.choices import BatchState
from subsidies.models import Batch, LedgerEntry
from subsidies.services.bank_profile import shipped_profiles

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def batch(db: None) -> Iterator[Batch]:
    """A batch of 300 lines that finance has confirmed."""
    county.prepare(300)
    county.build()
    county.confirm()
    yield Batch.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE eldercare_monthlyfacts, subsidies_entitlement")


def test_every_format_holds_the_batch_and_both_read_the_return_alike(batch: Batch, tmp_path: Path) -> None:
    for profile in shipped_profiles():
        county.give_up_file()
        written = county.write_file(profile["name"])
        assert (written["lines"], Decimal(written["amount"])) == (batch.lines, batch.amount)
    county.give_up_file()
    county.write_file("通用 Excel")
    county.send()
    path = str(tmp_path / "return.xlsx")
    assert county.write_return(path) == batch.lines
    assert rival.write_file(batch.lines) > 0
    theirs = rival.import_return(path)
    assert county.import_return(path) == theirs
    batch.refresh_from_db()
    assert batch.state == BatchState.RETURNED and county.tied()
    assert LedgerEntry.objects.filter(account="银行在途").count() == 3
