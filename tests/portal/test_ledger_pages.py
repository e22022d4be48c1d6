"""What a county's money comes to on the pages: reconciliation, ledger, budget, payment terms."""

from decimal import Decimal

import pytest

from operations.models import AuditEntry
from organization.choices import Role
from organization.models import User
from subsidies.choices import PaymentState
from subsidies.models import Appropriation, Batch, Funding, LedgerEntry, Month, Payment, PaymentTerms
from subsidies.services.bank import bank_file_download, bank_file_make
from subsidies.services.bank_profile import bank_profiles_ensure
from subsidies.services.bank_return import return_import
from subsidies.services.batch_step import batch_confirm, batch_send
from tests.conftest import COUNTY, TOWN_A, make_user
from tests.portal.conftest import MARCH, SignIn, an_item
from tests.portal.test_bank_pages import excel, returned


@pytest.fixture
def paid(approved: Batch, finance: User) -> Batch:
    """The first line paid, the second failed, one row that belongs to no line."""
    bank_profiles_ensure(county_code=COUNTY)
    batch = batch_confirm(batch_id=approved.pk, actor=finance)
    file = bank_file_make(batch_id=batch.pk, profile_id=excel().pk, actor=finance)
    bank_file_download(bank_file_id=file.pk, actor=finance)
    batch_send(batch_id=batch.pk, actor=finance)
    content = returned(batch, (1, "成功", ""), (2, "失败", "已销户"), (9, "成功", "")).read()
    return_import(batch_id=batch.pk, name="回盘.xlsx", content=content, actor=finance)
    return Batch.objects.get(pk=batch.pk)


def test_three_sides_say_the_same_and_the_difference_is_named(
    sign_in: SignIn, finance: User, paid: Batch
) -> None:
    response = sign_in(finance).get("/payments/reconciliation/?month=2026-03")
    whole, text = response.context["whole"], response.content.decode()
    assert whole.portal == whole.bank == whole.ledger == Decimal("50.00")
    assert "✓ 三方相符，差额 0.00 元" in text
    assert "另有 1 行银行回盘需要查问" in text


def test_a_difference_is_said_in_words_with_the_way_out(sign_in: SignIn, finance: User, paid: Batch) -> None:
    Payment.objects.filter(batch=paid, number=2).update(state=PaymentState.PAID, reason="")
    text = sign_in(finance).get("/payments/reconciliation/").content.decode()
    assert "✗ 三方不符：平台与银行相差 50.00 元，平台与台账相差 50.00 元" in text
    assert "不要手工改数" in text


def test_every_side_opens_the_rows_that_sum_to_it(sign_in: SignIn, finance: User, paid: Batch) -> None:
    client = sign_in(finance)
    item = an_item("A1").pk
    lines = client.get(f"/payments/{paid.pk}/lines/?state=已发&item={item}").context["sums"]
    rows = client.get(f"/payments/{paid.pk}/results/?item={item}").context["rows"]
    entries = client.get(f"/payments/ledger/?account=财政拨款&batch={paid.pk}&item={item}").context["sums"]
    assert lines.amount == sum(row.counts for row in rows) == entries.credit == Decimal("50.00")
    unsettled = client.get(f"/payments/{paid.pk}/results/?look=unsettled").context["rows"]
    assert [row.verdict for row in unsettled] == ["未知"]


@pytest.mark.parametrize("query", ["?item=x", "?item=999999999"])
def test_an_item_that_is_none_is_not_found(sign_in: SignIn, finance: User, paid: Batch, query: str) -> None:
    client = sign_in(finance)
    assert client.get(f"/payments/reconciliation/{query}").status_code == 404
    assert client.get(f"/payments/{paid.pk}/results/{query}").status_code == 404


def test_a_township_does_not_see_the_countys_ledger(sign_in: SignIn, reader_a: User, paid: Batch) -> None:
    client = sign_in(reader_a)
    for path in ("reconciliation/", "ledger/", "ledger/export.csv", "budget/", "terms/"):
        response = client.get(f"/payments/{path}")
        assert (response.status_code, "需要全县范围" in response.content.decode()) == (403, True), path
    assert client.get(f"/payments/{paid.pk}/results/").status_code == 404


def test_debit_and_credit_are_shown_equal(sign_in: SignIn, finance: User, paid: Batch) -> None:
    response = sign_in(finance).get("/payments/ledger/")
    sums = response.context["sums"]
    assert sums.debit == sums.credit > 0
    assert sums.entries == LedgerEntry.objects.count()
    assert "✓ 借贷相等，差额 0.00" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "entries"),
    [
        ("event=confirm", 2),
        ("event=send", 2),
        ("event=return", 4),
        ("event=recovery", 0),
        ("account=应付补贴", 2),
        ("month=2026-03", 8),
        ("month=2026-04", 0),
        ("month=3月", 0),
        ("source=财政", 2),
        ("item=1x", 0),
        ("event=nonsense", 0),
    ],
)
def test_the_ledger_is_filtered(
    sign_in: SignIn, finance: User, paid: Batch, query: str, entries: int
) -> None:
    assert sign_in(finance).get(f"/payments/ledger/?{query}").context["sums"].entries == entries


def test_the_ledger_is_downloaded_whole_and_audited(sign_in: SignIn, finance: User, paid: Batch) -> None:
    response = sign_in(finance).get("/payments/ledger/export.csv")
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]  # the stubs know no streamed test response
    assert len(text.splitlines()) == 1 + LedgerEntry.objects.count()
    assert AuditEntry.objects.filter(action="导出台账").exists()


GRANT = {"year": "2026", "source": "财政", "amount": "1000", "document": "财社〔2026〕1号"}


def test_a_grant_is_recorded_once_and_shown_against_what_was_used(
    sign_in: SignIn, finance: User, paid: Batch
) -> None:
    client, data = sign_in(finance), GRANT | {"item": str(an_item("A1").pk)}
    for _ in range(2):
        assert client.post("/payments/budget/", data).status_code == 302
    assert Appropriation.objects.count() == 1
    row = client.get("/payments/budget/?year=2026").context["rows"][0]
    assert (row.appropriated, row.spent, row.committed, row.left) == (1000, 50, 50, 900)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("amount", "一千", "金额应为数字"),
        ("amount", "0", "金额不能为 0"),
        ("document", "", "请填写下达文号"),
        ("year", "26", "年度应为四位数字"),
        ("source", "基金", "请选择资金来源"),
        ("item", "999999999", "不在本县清单里"),
        ("amount", "-5", "收回的不能多于已下达的"),
    ],
)
def test_a_grant_that_cannot_be_keeps_what_was_typed(
    sign_in: SignIn, finance: User, month: Month, field: str, value: str, said: str
) -> None:
    response = sign_in(finance).post("/payments/budget/", GRANT | {field: value})
    text = response.content.decode()
    assert (response.status_code, said in text) == (400, True)
    assert 'value="财社〔2026〕1号"' in text or field == "document"
    assert not Appropriation.objects.exists()


def test_only_finance_records_grants(sign_in: SignIn, bureau_clerk: User, month: Month) -> None:
    assert sign_in(bureau_clerk).post("/payments/budget/", GRANT).status_code == 403


TERMS = {
    "which": "terms",
    "first_month": "2026-03",
    "notice_days": "7",
    "start": "审批次月",
    "certify_months": "12",
    "certify_grace_days": "30",
}


def test_terms_are_set_once_and_audited(sign_in: SignIn, bureau_clerk: User, month: Month) -> None:
    client, url = sign_in(bureau_clerk), f"/payments/terms/{an_item('A1').pk}/"
    for _ in range(2):
        assert client.post(url, TERMS).status_code == 302
    terms = PaymentTerms.objects.get()
    assert (terms.first_month, terms.notice_days) == (MARCH, 7)
    assert AuditEntry.objects.filter(subject="item:A1").count() == 1
    assert "已启用" in client.get("/payments/terms/").content.decode()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("first_month", "3月", "月份应写成"),
        ("notice_days", "-1", "公示天数不能小于 0"),
        ("notice_days", "61", "公示天数不能超过 60 天"),
        ("start", "明年", "请选择起始月规则"),
    ],
)
def test_terms_that_cannot_be_keep_what_was_typed(
    sign_in: SignIn, bureau_clerk: User, month: Month, field: str, value: str, said: str
) -> None:
    url = f"/payments/terms/{an_item('A1').pk}/"
    response = sign_in(bureau_clerk).post(url, TERMS | {field: value})
    text = response.content.decode()
    assert (response.status_code, said in text) == (400, True)
    assert f'value="{value}"' in text or field == "start"
    assert not PaymentTerms.objects.exists()


def test_the_first_month_stays_once_lines_were_made(
    sign_in: SignIn, bureau_clerk: User, draft: Batch
) -> None:
    url = f"/payments/terms/{an_item('A1').pk}/"
    response = sign_in(bureau_clerk).post(url, TERMS | {"first_month": "2026-02"})
    assert (response.status_code, "启用发放月不能再改" in response.content.decode()) == (400, True)
    assert PaymentTerms.objects.get().first_month == MARCH


def test_shares_of_funding_add_up_to_a_hundred(sign_in: SignIn, bureau_clerk: User, month: Month) -> None:
    client, url = sign_in(bureau_clerk), f"/payments/terms/{an_item('A1').pk}/"
    data = {"which": "funding", "funding_month": "2026-03", "fiscal": "40"}
    for _ in range(2):
        assert client.post(url, data).status_code == 302
    shares = dict(Funding.objects.values_list("source", "share"))
    assert shares == {"财政": 40, "彩票公益金": 60}
    assert client.post(url, data | {"fiscal": "101"}).status_code == 400
    assert Funding.objects.count() == 2


def test_booked_months_keep_their_shares(sign_in: SignIn, bureau_clerk: User, paid: Batch) -> None:
    url = f"/payments/terms/{an_item('A1').pk}/"
    data = {"which": "funding", "funding_month": "2026-03", "fiscal": "40"}
    response = sign_in(bureau_clerk).post(url, data)
    assert (response.status_code, "已按原比例记账" in response.content.decode()) == (400, True)
    assert sign_in(bureau_clerk).post(url, data | {"funding_month": "2026-04"}).status_code == 302


def test_terms_are_set_by_who_manages_them(sign_in: SignIn, finance: User, draft: Batch) -> None:
    url = f"/payments/terms/{an_item('A1').pk}/"
    assert sign_in(finance).get("/payments/terms/").status_code == 200
    assert sign_in(finance).get(url).status_code == 403
    clerk = make_user("clerk_township", Role.TOWNSHIP_CLERK, TOWN_A)
    assert sign_in(clerk).post(url, TERMS).status_code == 403
