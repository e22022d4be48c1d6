"""A roster on which a decided month rests is not taken back."""

from datetime import date

import pytest

from eldercare.models import ImportBatch
from eldercare.services.roster import RosterRefused, roster_check, roster_commit, roster_undo, roster_upload
from organization.models import Area
from tests.registry import id_number
from tests.subsidies.county import VILLAGE, item, publish_list, run

pytestmark = pytest.mark.django_db(transaction=True)
HEADER = "姓名,身份证号码,户籍区划,低保"


@pytest.fixture(autouse=True)
def county() -> None:
    publish_list(item("POOR", "低保"))
    Area.objects.create(code="530322101000", name="中枢镇", parent_id="530322000000")
    Area.objects.create(code=VILLAGE, name="东门村", parent_id="530322101000")


def sent(poor: str) -> ImportBatch:
    number = id_number(date(1940, 1, 1), 1)
    content = f"{HEADER}\n张测,{number},{VILLAGE},{poor}\n".encode()
    batch = roster_upload(
        name="名单.csv", content=content, as_of=date(2024, 1, 1) if not poor else date(2024, 2, 1)
    )
    return roster_commit(batch=roster_check(batch=batch))


def test_a_change_that_no_month_has_seen_is_taken_back() -> None:
    sent("")
    batch = roster_undo(batch=sent("是"))
    assert batch.state == ImportBatch.State.UNDONE


def test_a_change_by_which_a_month_was_decided_stays_and_the_month_is_named() -> None:
    sent("")
    batch = sent("是")
    run(date(2024, 6, 1))
    with pytest.raises(RosterRefused, match="2024-06"):
        roster_undo(batch=batch)
