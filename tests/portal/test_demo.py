"""The demonstration county: fictional throughout, the same for the same seed, and told only once."""

import json
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from eldercare.choices import Sex
from eldercare.identity import check_character, parse_id_number
from eldercare.models import Circumstance, Elder
from operations.crypto import blind_index, decrypt
from organization.areas import township_code
from organization.choices import Role
from organization.models import Area, Assignment, User
from portal.demo.accounts import FILE_NAME, OTHER_LEAD, accounts_create, accounts_read, password_make
from portal.demo.areas import COUNTY, NEIGHBOUR_VILLAGE, AreaRow, county_areas, village_codes
from portal.demo.chance import chance
from portal.demo.county import NotEmptyError, demo_build
from portal.demo.numbers import bank_account, disability_card
from portal.demo.people import Person, Population
from portal.demo.registry import RegistryNotEmptyError, registry_load_fast
from portal.demo.roster import COLUMNS, RosterWriter
from portal.demo.updates import Changes, corrected, misdated_pair, months_until
from portal.demo.visiting import visit_rows
from subsidies.models import Month
from tests.registry import make_elder
from visits.choices import EFFECTIVE

AS_OF = date(2026, 5, 1)
MONTHS = months_until(date(2026, 11, 21), 6)
MONTH_NOW = timezone.localdate().replace(day=1)


@pytest.fixture(scope="module")
def areas() -> list[AreaRow]:
    return county_areas(1)


@pytest.fixture(scope="module")
def people(areas: list[AreaRow]) -> list[Person]:
    return _people(areas, 5_000)


def _people(areas: list[AreaRow], count: int, seed: int = 1) -> list[Person]:
    return list(Population(seed=seed, villages=village_codes(areas, COUNTY), as_of=AS_OF).draw(count))


def test_the_county_has_fifteen_townships_and_a_hundred_and_fifty_villages(areas: list[AreaRow]) -> None:
    villages = village_codes(areas, COUNTY)
    assert (len(villages), len({township_code(code) for code in villages})) == (150, 15)


def test_every_area_stands_below_one_that_comes_before_it(areas: list[AreaRow]) -> None:
    seen: set[str | None] = {None}
    for area in areas:
        assert area.parent in seen, area
        seen.add(area.code)


@pytest.mark.parametrize(("kind", "first", "last"), [("街道", 1, 99), ("镇", 100, 199), ("乡", 200, 399)])
def test_township_codes_lie_in_the_range_of_their_kind(
    areas: list[AreaRow], kind: str, first: int, last: int
) -> None:
    numbers = [
        int(area.code[6:9]) for area in areas if area.code.endswith("000") and area.name.endswith(kind)
    ]
    assert numbers and all(first <= number <= last for number in numbers)


def test_village_codes_tell_communities_from_villages(areas: list[AreaRow]) -> None:
    for area in areas:
        number = int(area.code[9:])
        assert number == 0 or (number < 200) == area.name.endswith("社区"), area


def test_names_are_unique_within_a_township(areas: list[AreaRow]) -> None:
    names = Counter((area.parent, area.name) for area in areas)
    assert max(names.values()) == 1


def test_every_id_number_is_fictional_right_and_given_once(people: list[Person]) -> None:
    for person in people:
        read = parse_id_number(person.number, AS_OF)
        assert person.number.startswith("99")
        assert (read.fault, read.birth_date, read.sex) == ("", person.birth, person.sex)
    assert len({person.number for person in people}) == len(people)


def test_phones_are_of_the_fictional_block(people: list[Person]) -> None:
    phones = {phone for person in people for phone in (person.phone, person.contact_phone) if phone}
    assert all(re.fullmatch(r"1990000\d{4}", phone) for phone in phones)


def test_a_bank_account_passes_the_card_check_under_a_prefix_without_a_bank() -> None:
    account = bank_account(chance(1, "account"))
    digits = [int(digit) for digit in reversed(account)]
    total = sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    assert (account[:4], len(account), total % 10) == ("9901", 19, 0)


def test_a_disability_card_says_number_type_and_level() -> None:
    assert disability_card("990101194001010017", "肢体", 2) == "99010119400101001742"


@pytest.mark.parametrize(
    ("what", "low", "high"),
    [
        ("allowance", 0.045, 0.075),
        ("destitute", 0.008, 0.018),
        ("disability", 0.065, 0.095),
        ("living", 0.15, 0.26),
        ("family_planning", 0.003, 0.012),
        ("pension", 0.93, 0.98),
    ],
)
def test_circumstances_have_plausible_shares(
    people: list[Person], what: str, low: float, high: float
) -> None:
    assert low <= sum(bool(getattr(person, what)) for person in people) / len(people) <= high


def test_a_quarter_of_those_over_eighty_is_assessed(people: list[Person]) -> None:
    old = [person for person in people if person.birth <= date(1946, 5, 1)]
    assert 0.2 <= sum(person.ability is not None for person in old) / len(old) <= 0.32


def test_ages_reach_from_sixty_past_a_hundred(people: list[Person]) -> None:
    births = [person.birth for person in people]
    assert max(births) <= date(1966, 5, 2)
    assert date(1921, 1, 1) < min(births) < date(1926, 5, 1)


def test_the_same_seed_gives_the_same_county(areas: list[AreaRow]) -> None:
    assert _people(areas, 300) == _people(areas, 300)


def test_another_seed_gives_another_county(areas: list[AreaRow]) -> None:
    assert _people(areas, 300) != _people(areas, 300, seed=2)


def test_a_couple_shares_house_and_head(people: list[Person]) -> None:
    heads = {person.number: person for person in people}
    spouses = [person for person in people if person.relation == "配偶" and person.head in heads]
    assert len(spouses) > 500
    for spouse in spouses:
        head = heads[spouse.head]
        assert (spouse.sex is not head.sex, spouse.hukou) == (True, head.hukou)


def test_a_roster_row_has_a_cell_for_every_column(areas: list[AreaRow], people: list[Person]) -> None:
    row = RosterWriter(chance(1, "roster"), areas).row(people[0])
    assert len(row) == len(COLUMNS)


def test_the_roster_holds_messy_cells(areas: list[AreaRow], people: list[Person]) -> None:
    writer = RosterWriter(chance(1, "roster"), areas)
    rows = [dict(zip(COLUMNS, writer.row(person), strict=True)) for person in people]
    assert any("０" in row["身份证号码"] for row in rows)
    assert {"汉", "汉族"} <= {row["民族"] for row in rows}
    assert any("/" in row["户籍区划"] for row in rows)


def _changes(areas: list[AreaRow], people: list[Person]) -> Iterator[list[Person]]:
    population = Population(seed=1, villages=village_codes(areas, COUNTY), as_of=AS_OF)
    list(population.draw(len(people)))
    changes = Changes(seed=1, people=people, population=population)
    return (changes.of_month(month, first=MONTHS[0]) for month in MONTHS[1:])


def test_every_update_tells_of_deaths_moves_help_and_newcomers(
    areas: list[AreaRow], people: list[Person]
) -> None:
    known = {person.number for person in people}
    for rows in _changes(areas, people):
        assert any(row.death for row in rows)
        assert any(row.moved_out for row in rows)
        assert any(row.allowance and row.since for row in rows)
        assert any(row.number not in known for row in rows)


def test_nobody_is_told_of_twice(areas: list[AreaRow], people: list[Person]) -> None:
    told = Counter(row.number for rows in _changes(areas, people) for row in rows)
    assert max(told.values()) == 1


def test_updates_tell_only_of_the_past(areas: list[AreaRow], people: list[Person]) -> None:
    for month, rows in zip(MONTHS[1:], _changes(areas, people), strict=True):
        days = [day for row in rows for day in (row.death, row.moved_out, row.since, row.assessed) if day]
        assert max(days) < month


def test_the_misdated_pair_changes_places_when_corrected() -> None:
    older, younger = misdated_pair(MONTHS, NEIGHBOUR_VILLAGE)
    first, second = corrected([older, younger])
    eighty = [date(person.birth.year + 80, person.birth.month, person.birth.day) for person in (older, first)]
    assert eighty[0] > MONTHS[-1] and eighty[1] < MONTHS[0]
    assert (first.birth, second.birth) == (younger.birth, older.birth)


def test_the_misdated_numbers_have_a_right_check_digit_and_no_real_date() -> None:
    for person in misdated_pair(MONTHS, NEIGHBOUR_VILLAGE):
        assert check_character(person.number[:17]) == person.number[17]
        assert parse_id_number(person.number, AS_OF).birth_date is None
        assert person.sex is (Sex.MALE if int(person.number[16]) % 2 else Sex.FEMALE)


def _visits(gone: dict[str, date] | None = None, day: int = 30) -> list[tuple[str, ...]]:
    due = [(f"99{number:016d}", "990101100200", 1) for number in range(2_000)]
    now = datetime(2026, 6, day, 23, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
    return list(visit_rows(due, month=date(2026, 6, 1), seed=1, now=now, gone=gone or {}))


def test_about_ninety_three_in_a_hundred_are_reached() -> None:
    reached = sum(row[4] in EFFECTIVE for row in _visits())
    assert 0.91 <= reached / 2_000 <= 0.95


def test_no_visit_lies_in_the_future() -> None:
    assert max(row[2] for row in _visits(day=10)) < "2026-06-11"


def test_nobody_is_visited_after_death() -> None:
    number = _visits()[0][1]
    assert number not in {row[1] for row in _visits(gone={number: date(2026, 6, 1)})}


def test_the_same_month_is_recorded_under_the_same_numbers() -> None:
    assert _visits() == _visits()


def test_a_password_has_three_classes_and_is_never_the_same() -> None:
    assert re.fullmatch(r"[a-z]{4}-[A-Z]{4}-[2-9]{4}", password_make())
    assert len({password_make() for _ in range(50)}) == 50


@pytest.fixture
def data_folder(tmp_path: Path, settings: Settings) -> Path:
    settings.DATA_DIR = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # the real one is slow on purpose
    return tmp_path


@pytest.fixture
def three_areas(db: None) -> dict[str, Area]:
    county = Area.objects.create(code="990101000000", name="青禾县")
    township = Area.objects.create(code="990101100000", name="柳溪镇", parent=county)
    village = Area.objects.create(code="990101100200", name="新民村", parent=township)
    return {"county": county, "township": township, "village": village}


def test_without_a_demonstration_there_are_no_accounts(data_folder: Path, db: None) -> None:
    out = StringIO()
    call_command("demo_accounts", stdout=out)
    assert json.loads(out.getvalue()) == {"accounts": []}


def test_there_is_one_account_per_role_and_each_can_sign_in(
    data_folder: Path, three_areas: dict[str, Area]
) -> None:
    accounts = accounts_create(**three_areas)
    assert sorted(Assignment.objects.values_list("role", flat=True)) == sorted(Role.values)
    assert all(User.objects.get(username=each.username).check_password(each.password) for each in accounts)


def test_one_account_leads_every_other_township(data_folder: Path, three_areas: dict[str, Area]) -> None:
    other = Area.objects.create(code="990101101000", name="石桥镇", parent=three_areas["county"])
    accounts_create(**three_areas)
    lead = User.objects.get(username=OTHER_LEAD[0])
    assert [assignment.area for assignment in lead.active_assignments] == [other]


def test_only_the_owner_reads_the_passwords(data_folder: Path, three_areas: dict[str, Area]) -> None:
    accounts_create(**three_areas)
    assert stat.S_IMODE((data_folder / FILE_NAME).stat().st_mode) == 0o600


def test_accounts_of_another_database_are_not_shown(data_folder: Path, three_areas: dict[str, Area]) -> None:
    accounts_create(**three_areas)
    Assignment.objects.all().delete()
    User.objects.all().delete()
    assert accounts_read() == []


def test_the_fast_load_writes_elders_that_read_back(db: None) -> None:
    result = registry_load_fast(500, 3, townships=4, villages=20, as_of=AS_OF)
    elder = Elder.objects.order_by("id")[7]
    number = elder.id_number
    assert result["elders"] == Elder.objects.count() == 500
    assert result["circumstances"] == Circumstance.objects.count()
    assert (bytes(elder.id_number_index), elder.id_last4) == (blind_index(number), number[-4:])
    assert (number[:2], decrypt(elder.phone_cipher)[:7] or "1990000") == ("99", "1990000")


def test_the_fast_load_puts_indexes_constraints_and_triggers_back(db: None) -> None:
    before = _schema()
    registry_load_fast(50, 3, townships=2, villages=6, as_of=AS_OF)
    assert _schema() == before


def test_changes_after_a_fast_load_have_higher_versions(db: None) -> None:
    registry_load_fast(20, 3, townships=2, villages=6, as_of=AS_OF)
    elder = Elder.objects.order_by("id")[0]
    loaded = elder.version
    elder.save()
    elder.refresh_from_db()
    assert elder.version > loaded > 0


def test_the_fast_load_refuses_a_registry_with_elders(db: None) -> None:
    registry_load_fast(20, 3, townships=2, villages=6, as_of=AS_OF)
    with pytest.raises(RegistryNotEmptyError):
        registry_load_fast(20, 4, townships=2, villages=6, as_of=AS_OF)


def _schema() -> list[tuple[str, ...]]:
    """Definitions of indexes, constraints and trigger states of the two big tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 'index', indexdef FROM pg_indexes
            WHERE tablename IN ('eldercare_elder', 'eldercare_circumstance')
            UNION ALL SELECT 'constraint', conname || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid IN ('eldercare_elder'::regclass, 'eldercare_circumstance'::regclass)
            UNION ALL SELECT 'trigger', tgname || tgenabled::text FROM pg_trigger
            WHERE tgrelid IN ('eldercare_elder'::regclass, 'eldercare_circumstance'::regclass) AND NOT tgisinternal
            ORDER BY 1, 2"""
        )
        return list(cursor.fetchall())


@pytest.fixture
def empty_partitions(transactional_db: None) -> Iterator[None]:
    """Partitioned tables are not known to Django's flush: empty them after a build."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE eldercare_monthlyfacts, subsidies_entitlement")


class Cut(Exception):
    """What stops a build in the middle."""


def _cut_before(step: str) -> Callable[[str], None]:
    def report(name: str) -> None:
        if name.startswith(step):
            raise Cut

    return report


def test_a_build_cut_short_goes_on_and_a_second_one_is_refused(
    data_folder: Path, empty_partitions: None
) -> None:
    with pytest.raises(Cut):
        demo_build(elders=60, seed=4, report=_cut_before(f"探访 {MONTH_NOW:%Y年%m月}"))
    steps: list[str] = []
    made = demo_build(elders=999, seed=9, report=steps.append)
    assert [step.split()[0] for step in steps] == [
        "探访",
        "探访复核",
        "探访分工",
        "探访移交",
        "探访退回",
        "探访回访",
        "探访跟进",
        "探访月报",
        "探访补录",
        "生存认证",
        "待办",
    ]
    assert Elder.objects.count() == 60 + sum(made[step]["created"] for step in made if "变动" in step)
    assert Month.objects.filter(revision__gt=0).count() == 6
    with pytest.raises(NotEmptyError):
        demo_build(elders=60, seed=4, report=steps.append)


def test_make_demo_leaves_a_registry_in_use_alone(county: Area, data_folder: Path) -> None:
    make_elder(date(1940, 5, 6))
    out, words = StringIO(), StringIO()
    call_command("make_demo", if_empty=True, stdout=out, stderr=words)
    result = json.loads(out.getvalue())
    assert (result["skipped"], result["elders"], User.objects.count()) == (True, 1, 0)
    assert "跳过" in words.getvalue()


def test_make_demo_refuses_a_registry_in_use(county: Area, data_folder: Path) -> None:
    make_elder(date(1940, 5, 6))
    out = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("make_demo", stdout=out, stderr=StringIO())
    assert (stop.value.code, json.loads(out.getvalue())["elders"]) == (1, 1)


def test_a_fast_demonstration_is_a_registry_without_months(data_folder: Path, db: None) -> None:
    out = StringIO()
    call_command("make_demo", elders=200, fast=True, stdout=out, stderr=StringIO())
    result = json.loads(out.getvalue())
    assert (result["elders"], result["months"], result["accounts"]) == (200, [], 0)
