"""The year's budget: granted, spent, committed, left; what exceeds it; and the share of 彩票公益金."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from pytest_django import DjangoAssertNumQueries

from catalog.models import Document, Item, Target
from operations.models import AuditEntry
from subsidies.budget import budget_rows, lottery_share, overruns_of
from subsidies.choices import BatchKind, BatchState, FundSource
from subsidies.models import Appropriation, Batch, Funding
from subsidies.refusals import MoneyRefusedError
from subsidies.services.appropriation import appropriation_record
from subsidies.services.batch_step import batch_confirm
from tests.subsidies.batches import JUNE, draft, elder_in, line, publish_items, returned, walk
from tests.subsidies.county import CHENCANG, LULIANG, VILLAGE, load
from tests.subsidies.money import Staff, staff

pytestmark = pytest.mark.django_db
FISCAL, LOTTERY = FundSource.FISCAL, FundSource.LOTTERY
DOCUMENT = "陆财社〔2024〕1号"


@pytest.fixture
def people(db: None) -> Staff:
    """POOR is paid half and half by two sources, CARE by 财政 alone."""
    publish_items()
    for source in FundSource.values:
        Funding.objects.create(item=poor(), source=source, first_month=JUNE, share=Decimal(50))
    return staff()


def poor() -> Item:
    return Item.objects.get(code="POOR")


def grant(
    people: Staff,
    amount: str,
    *,
    source: str = FISCAL,
    item: Item | None = None,
    year: int = 2024,
    document: str = DOCUMENT,
) -> Appropriation:
    return appropriation_record(
        county_code=LULIANG,
        year=year,
        source=source,
        item=item,
        amount=Decimal(amount),
        document=document,
        actor=people.finance,
    )


def rows(year: int = 2024) -> dict[tuple[str, str], tuple[Decimal, Decimal, Decimal, Decimal]]:
    """(item, source) → appropriated, spent, committed, left."""
    return {
        (row.item.code, row.source): (row.appropriated, row.spent, row.committed, row.left)
        for row in budget_rows(county_code=LULIANG, year=year)
    }


def figures(*values: str) -> tuple[Decimal, ...]:
    return tuple([Decimal(value) for value in values])


def test_a_grant_is_left_until_something_is_confirmed(people: Staff) -> None:
    grant(people, "1000.00", item=poor())
    batch = draft(people, (elder_in(VILLAGE), "POOR", "100.01"))
    walk(batch, people, BatchState.FINANCE)
    assert rows() == {("POOR", FISCAL): figures("1000", "0", "0", "1000")}
    walk(batch, people, BatchState.CONFIRMED)
    assert rows() == {
        ("POOR", FISCAL): figures("1000", "0", "50.01", "949.99"),
        ("POOR", LOTTERY): figures("0", "0", "50.00", "-50.00"),
    }


def test_what_arrived_is_spent_and_what_failed_stays_committed(people: Staff) -> None:
    grant(people, "1000.00", item=poor())
    one, two = elder_in(VILLAGE), elder_in(VILLAGE)
    batch = draft(people, (one, "POOR", "100.00"), (two, "POOR", "60.00"))
    walk(batch, people, BatchState.SENT)
    returned(batch, people, two)
    assert rows() == {
        ("POOR", FISCAL): figures("1000", "50", "30", "920"),
        ("POOR", LOTTERY): figures("0", "50", "30", "-80"),
    }


def test_a_line_paid_again_next_year_burdens_the_year_that_pays_it(people: Staff) -> None:
    elder = elder_in(VILLAGE)
    batch = draft(people, (elder, "CARE", "100.00"))
    walk(batch, people, BatchState.SENT)
    returned(batch, people, elder)
    again = draft(people, month=date(2025, 1, 1), kind=BatchKind.REISSUE)
    failed = batch.payments.get()
    line(again, elder, failed.item, "100.00", reissues=failed)
    assert rows(2025) == {("CARE", FISCAL): figures("0", "0", "100", "-100")}
    walk(again, people, BatchState.CLOSED)
    assert rows(2025) == {("CARE", FISCAL): figures("0", "100", "0", "-100")}


def test_grants_of_other_years_and_counties_are_not_counted(people: Staff) -> None:
    grant(people, "1000.00", item=poor(), year=2023)
    Appropriation.objects.create(
        county_code=CHENCANG, year=2024, source=FISCAL, item=poor(), amount=Decimal(5), document="x"
    )
    assert rows() == {}


@pytest.mark.parametrize(("granted", "over"), [("100.00", None), ("99.99", "0.01")])
def test_a_batch_exceeds_the_budget_by_what_is_not_granted(
    people: Staff, granted: str, over: str | None
) -> None:
    grant(people, granted, item=poor())
    batch = draft(people, (elder_in(VILLAGE), "POOR", "100.00"))
    assert [str(found.amount) for found in overruns_of(batch)] == ([over] if over else [])


def test_grants_of_all_sources_and_what_was_confirmed_before_count_together(people: Staff) -> None:
    grant(people, "80.00", item=poor())
    grant(people, "50.00", item=poor(), source=LOTTERY)
    walk(draft(people, (elder_in(VILLAGE), "POOR", "90.00")), people, BatchState.SENT)
    later = draft(people, (elder_in(VILLAGE), "POOR", "50.00"))
    assert [found.amount for found in overruns_of(later)] == [Decimal("10.00")]


def test_beyond_the_budget_finance_confirms_only_with_a_note(people: Staff) -> None:
    grant(people, "60.00", item=poor())
    batch = walk(draft(people, (elder_in(VILLAGE), "POOR", "100.00")), people, BatchState.FINANCE)
    with pytest.raises(MoneyRefusedError, match=r"POOR 项目POOR 超出预算 40.00 元，请在意见中写明依据"):
        batch_confirm(batch_id=batch.pk, actor=people.finance)
    confirmed = batch_confirm(batch_id=batch.pk, actor=people.finance, note="县政府第3次常务会议同意追加")
    assert confirmed.state == BatchState.CONFIRMED
    entry = AuditEntry.objects.get(action="批次财政确认")
    assert entry.data["over"] == {"POOR": "40.00"}


def test_an_item_without_any_grant_needs_no_note(people: Staff) -> None:
    grant(people, "1.00", item=Item.objects.get(code="CARE"))
    batch = walk(draft(people, (elder_in(VILLAGE), "POOR", "100.00")), people, BatchState.FINANCE)
    assert batch_confirm(batch_id=batch.pk, actor=people.finance).state == BatchState.CONFIRMED


def test_a_reissue_exceeds_nothing(people: Staff) -> None:
    elder = elder_in(VILLAGE)
    batch = draft(people, (elder, "POOR", "100.00"))
    walk(batch, people, BatchState.SENT)
    returned(batch, people, elder)
    grant(people, "1.00", item=poor())
    again = draft(people, kind=BatchKind.REISSUE)
    line(again, elder, poor(), "100.00", reissues=batch.payments.get())
    assert overruns_of(again) == []


def target(area: str = LULIANG, value: str = "60", *, comparator: str = ">=") -> Target:
    document = Document.objects.filter(area_id=area).first()
    assert document is not None
    return Target.objects.create(
        document=document,
        code="T02",
        name="福利彩票公益金用于养老服务的比例",
        comparator=comparator,
        value=Decimal(value),
        unit="%",
        indicator="lottery_fund_share",
        clause="方案二（五）2",
    )


@pytest.mark.parametrize(
    ("arranged", "percent", "met"), [("60.00", "60.0", True), ("59.99", "59.9", False), ("75", "75.0", True)]
)
def test_the_share_of_lottery_money_for_elder_care_is_held_against_the_lists_target(
    people: Staff, arranged: str, percent: str, met: bool
) -> None:
    wanted = target()
    grant(people, "100.00", source=LOTTERY)
    grant(people, arranged, source=LOTTERY, item=poor())
    grant(people, "900.00", source=FISCAL, item=poor())
    share = lottery_share(county_code=LULIANG, year=2024)
    assert (share.income, share.arranged, share.target) == (Decimal(100), Decimal(arranged), wanted)
    assert (share.arranged_percent, share.met) == (Decimal(percent), met)


def test_what_items_spent_of_lottery_money_is_told_beside_it(people: Staff) -> None:
    grant(people, "200.00", source=LOTTERY)
    walk(draft(people, (elder_in(VILLAGE), "POOR", "100.00")), people, BatchState.CLOSED)
    share = lottery_share(county_code=LULIANG, year=2024)
    assert (share.spent, share.spent_percent) == (Decimal("50.00"), Decimal("25.0"))
    assert share.met is None, "no target, nothing to meet"


def test_without_income_there_is_no_share(people: Staff) -> None:
    target()
    share = lottery_share(county_code=LULIANG, year=2024)
    assert (share.arranged_percent, share.spent_percent, share.met) == (None, None, None)


def test_the_shipped_list_demands_at_least_sixty_percent(db: None) -> None:
    load("national", "luliang")
    wanted = lottery_share(county_code=LULIANG, year=2024).target
    assert wanted is not None
    assert (wanted.comparator, wanted.value, wanted.clause) == (">=", Decimal(60), "方案二（五）2")


def test_a_grant_is_recorded_once_however_often_it_is_sent(people: Staff) -> None:
    once = grant(people, "100.00", item=poor())
    assert grant(people, "100.00", item=poor()) == once
    assert Appropriation.objects.count() == AuditEntry.objects.filter(action="登记预算下达").count() == 1
    with pytest.raises(MoneyRefusedError, match=r"已由 财务甲 于 .* 登记"):
        appropriation_record(
            county_code=LULIANG,
            year=2024,
            source=FISCAL,
            item=poor(),
            amount=Decimal("100.00"),
            document=DOCUMENT,
            actor=people.finance_two,
        )


@pytest.mark.parametrize(("back", "taken"), [("-100.00", True), ("-100.01", False)])
def test_no_more_is_taken_back_than_was_granted(people: Staff, back: str, taken: bool) -> None:
    grant(people, "100.00", item=poor())
    if taken:
        grant(people, back, item=poor(), document="陆财社〔2024〕9号")
        assert rows() == {("POOR", FISCAL): figures("0", "0", "0", "0")}
        return
    with pytest.raises(MoneyRefusedError, match="收回的不能多于已下达的"):
        grant(people, back, item=poor(), document="陆财社〔2024〕9号")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"amount": "0"}, "金额不能为 0"),
        ({"amount": "1.001"}, "两位小数"),
        ({"document": " "}, "请填写下达文号"),
        ({"year": 24}, "年度"),
    ],
)
def test_a_grant_names_year_sum_and_document(people: Staff, changes: dict[str, object], word: str) -> None:
    given: dict[str, object] = {"amount": "100", "document": DOCUMENT, "year": 2024} | changes
    with pytest.raises(MoneyRefusedError, match=word):
        grant(people, **given)  # type: ignore[arg-type]  # one wrong value each


def test_only_finance_of_the_county_records_grants(people: Staff) -> None:
    for actor in (people.maker, people.chief, staff("530324000000").finance):
        with pytest.raises(MoneyRefusedError, match="登记预算下达"):
            appropriation_record(
                county_code=LULIANG,
                year=2024,
                source=FISCAL,
                item=None,
                amount=Decimal(1),
                document=DOCUMENT,
                actor=actor,
            )


def test_a_grant_is_never_edited(people: Staff) -> None:
    row = grant(people, "100.00", item=poor())
    with pytest.raises(DatabaseError, match="只能追加"), transaction.atomic():
        Appropriation.objects.filter(pk=row.pk).update(amount=Decimal(1))


def test_the_budget_of_a_year_takes_few_queries(
    people: Staff, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    grant(people, "1000.00", item=poor())
    walk(draft(people, (elder_in(VILLAGE), "POOR", "100.00")), people, BatchState.CLOSED)
    assert Batch.objects.count() == 1
    with django_assert_max_num_queries(5):
        budget_rows(county_code=LULIANG, year=2024)
