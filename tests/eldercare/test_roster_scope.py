"""Nobody imports, or learns anything from an import, outside the areas that his roles give him now."""

import json

import pytest

from eldercare.models import Elder, ImportBatch
from eldercare.roster.report import masked
from eldercare.services.roster import RosterRefused, roster_check, roster_commit, roster_upload
from organization.choices import Role
from organization.models import Assignment, User
from tests.conftest import COUNTY, TOWN_B
from tests.eldercare.rosters import (
    AS_OF,
    OTHER_VILLAGE,
    VILLAGE,
    checked,
    counts,
    elder_of,
    errors,
    imported,
    person,
    remarks,
    workbook,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("villages")]
ACCOUNT = "6228480012345678903"
NOWHERE = "您现在没有可导入花名册的区划"


def test_an_operator_imports_everywhere() -> None:
    assert counts(imported(person(1), person(2, 户籍区划=OTHER_VILLAGE))) == (2, 0, 0, 0)


def test_a_user_without_a_role_any_more_imports_nowhere(clerk_a: User) -> None:
    batch = roster_upload(name="花名册.xlsx", content=workbook([person(1)]), as_of=AS_OF, created_by=clerk_a)
    clerk_a.assignments.all().delete()
    batch = roster_check(batch=ImportBatch.objects.get(pk=batch.pk))
    assert (batch.state, batch.counts) == (ImportBatch.State.REFUSED, {})
    assert batch.report["refusal"].startswith(NOWHERE)


@pytest.mark.parametrize("closed", [False, True])
def test_who_lost_role_or_account_after_the_check_writes_nothing(clerk_a: User, closed: bool) -> None:
    batch = checked(workbook([person(1)]), created_by=clerk_a)
    if closed:
        User.objects.filter(pk=clerk_a.pk).update(is_active=False)
    else:
        clerk_a.assignments.all().delete()
    with pytest.raises(RosterRefused, match=NOWHERE):
        roster_commit(batch=batch, actor=clerk_a)
    assert not Elder.objects.exists()


def test_a_role_that_may_only_look_opens_no_area_for_imports(clerk_a: User) -> None:
    Assignment.objects.create(user=clerk_a, role=Role.DEPARTMENT, area_id=COUNTY)
    batch = checked(workbook([person(1), person(2, 户籍区划=OTHER_VILLAGE)]), created_by=clerk_a)
    assert counts(batch) == (1, 0, 0, 1)


def test_who_was_moved_to_another_township_after_the_check_does_not_write_to_the_old_one(
    clerk_a: User,
) -> None:
    batch = checked(workbook([person(1)]), created_by=clerk_a)
    clerk_a.assignments.update(area_id=TOWN_B)
    with pytest.raises(RosterRefused, match="您的管理范围有变动"):
        roster_commit(batch=batch, actor=clerk_a)
    assert not Elder.objects.exists()


def test_an_elder_who_moved_away_after_the_check_is_not_written_to(clerk_a: User) -> None:
    imported(person(1))
    batch = checked(workbook([person(1, 姓名="张改名")]), created_by=clerk_a)
    Elder.objects.update(hukou_code=OTHER_VILLAGE, residence_code=OTHER_VILLAGE)
    with pytest.raises(RosterRefused, match="管理范围之外登记"):
        roster_commit(batch=batch, actor=clerk_a)
    assert elder_of(person(1)).name == "张国华"


def test_the_bureau_writes_what_a_township_had_checked(clerk_a: User, bureau_clerk: User) -> None:
    batch = checked(workbook([person(1)]), created_by=clerk_a)
    assert counts(roster_commit(batch=batch, actor=bureau_clerk)) == (1, 0, 0, 0)


@pytest.mark.parametrize(("village", "told"), [(VILLAGE, 1), (OTHER_VILLAGE, 0)])
def test_a_namesake_is_only_told_within_ones_areas(clerk_a: User, village: str, told: int) -> None:
    imported(person(1, 户籍区划=village))
    batch = checked(workbook([person(2)]), created_by=clerk_a)
    assert batch.counts["suspected"] == told
    assert (elder_of(person(1)).id_last4 in json.dumps(batch.report)) is bool(told)


@pytest.mark.parametrize(("village", "told"), [(VILLAGE, True), (OTHER_VILLAGE, False)])
def test_a_shared_account_is_only_told_within_ones_areas(clerk_a: User, village: str, told: bool) -> None:
    imported(person(1, 户籍区划=village, 银行账号=ACCOUNT))
    batch = checked(workbook([person(2, 姓名="李四", 银行账号=ACCOUNT)]), created_by=clerk_a)
    assert any("同一账号" in message for _, _, message in remarks(batch)) is told
    assert not errors(batch)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("9901 0119 4205 1723 41", "990101********2341"),
        ("990101-19420517-2341", "990101********2341"),
        ("990101 19420517 234X", "990101********234X"),
        ("990101－19420517　234 x", "990101********234x"),
        ("138-1234-5678", "138****5678"),
        ("138.1234.5678", "138****5678"),
        ("电话 138 1234 5678 转", "电话 138****5678 转"),
        ("990101194205172341", "990101********2341"),
        ("99010119420517", "990101****0517"),
        ("1234567", "*******"),
        ("123456", "123456"),
        ("2026-03-01", "2026-03-01"),
        ("2026-03-01 08:00:00", "2026-03-01 08:00:00"),
        ("2026/13/45", "2026/13/45"),
    ],
)
def test_a_long_number_is_masked_however_it_is_divided(value: str, shown: str) -> None:
    assert masked(value) == shown


def test_digits_of_another_script_are_masked_too() -> None:
    assert "*" in masked("６１０３０４１９４２０５１７２３４Ｘ")
