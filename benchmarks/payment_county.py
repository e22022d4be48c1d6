"""A county in which every elder is due 50 元: what the benchmark of payments runs on, and its steps one by one."""

from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from benchmarks.county import AS_OF, MONTH, SEED
from catalog.models import Item
from catalog.pack import read_pack
from catalog.services.pack import pack_load
from eldercare.models import BankAccount, Elder
from operations.crypto import blind_index, encrypt
from operations.plain_workbook import plain_workbook
from organization.choices import Role
from organization.models import Assignment, User
from portal.demo.areas import COUNTY
from portal.demo.chance import chance
from portal.demo.numbers import bank_account
from portal.demo.registry import registry_load_fast
from subsidies.choices import BatchKind, BatchState
from subsidies.models import BankFile, BankProfile, Batch, Month, Payment, PaymentTerms
from subsidies.services.bank import bank_file_discard, bank_file_make
from subsidies.services.bank_profile import bank_profiles_ensure
from subsidies.services.bank_return import return_import
from subsidies.services.batch import batch_build
from subsidies.services.ledger import confirm_post, send_post
from subsidies.services.month import month_run

BEFORE: Final = date(2026, 10, 1)
CODE: Final = "B01"
LIST: Final = f"""
document: {{code: bench-payments, title: 性能对照清单, issued: 2023-01-01, area: "{COUNTY}"}}
bureaus: [{{code: mzj, name: 县民政局}}]
items:
- {{code: {CODE}, number: 1, name: 高龄津贴, type: 物质帮助, form: 现金, subject: 个人, lead: 县民政局,
   summary: 性能对照, clause: 第1项, from: 2023-01-01, rule: "年龄 >= 1", amount: 50, application: 免申即享,
   start: 次月, lookback: 24, track: 逐人}}
"""
CHUNK: Final = 20_000
#: One line in a hundred fails.
FAILS: Final = 100
TITLES: Final = ("批次号", "序号", "账号", "户名", "金额", "状态", "失败原因", "入账日期")
SCANNED: Final = (
    "eldercare_elder, eldercare_bankaccount, subsidies_payment, subsidies_adjustment, subsidies_entitlement"
)


def prepare(lines: int) -> dict[str, int]:
    """Registry, list, accounts and people; the month before, paid outside, and the month to be paid."""
    registry_load_fast(lines, SEED, as_of=AS_OF)
    pack_load(pack=read_pack(LIST))
    for name, role in (("maker", Role.BUREAU_CLERK), ("finance", Role.FINANCE)):
        Assignment.objects.create(user=User.objects.create_user(name), role=role, area_id=COUNTY)
    _accounts_write()
    month_run(county_code=COUNTY, month=BEFORE)
    PaymentTerms.objects.create(item=Item.objects.get(code=CODE), first_month=MONTH)
    _profiles_make()
    month_run(county_code=COUNTY, month=MONTH)
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {SCANNED}")
    return {"accounts": BankAccount.objects.count()}


def build() -> dict[str, Any]:
    """The draft of the month."""
    batch = batch_build(month=Month.objects.get(month=MONTH), kind=BatchKind.REGULAR, actor=_user("maker"))
    return {"lines": batch.lines, "amount": str(batch.amount)}


def confirm() -> None:
    """The steps of people between the draft and the bank, in short."""
    with transaction.atomic():
        batch = Batch.objects.select_related("month").get()
        confirm_post(batch=batch, actor=_user("finance"))
        Batch.objects.update(state=BatchState.CONFIRMED)


def write_file(profile: str) -> dict[str, Any]:
    """The payment file in a shipped format; the one before is given up."""
    batch, finance = Batch.objects.get(), _user("finance")
    chosen = BankProfile.objects.get(county_code=COUNTY, name=profile)
    file = bank_file_make(batch_id=batch.pk, profile_id=chosen.pk, actor=finance)
    return {"lines": file.lines, "amount": str(file.amount), "bytes": file.stored.size}


def give_up_file() -> None:
    """Make room for a file in another format."""
    for file in BankFile.objects.all():
        bank_file_discard(bank_file_id=file.pk, actor=_user("finance"), reason="性能对照")


def send() -> None:
    """The bank has the file."""
    with transaction.atomic():
        batch = Batch.objects.select_related("month").get()
        send_post(batch=batch, actor=_user("finance"))
        Batch.objects.update(state=BatchState.SENT)


def write_return(path: str, rows: int | None = None) -> int:
    """What the bank answers, as a workbook: the first `rows` lines, or all."""
    batch = Batch.objects.get()
    lines = Payment.objects.filter(batch=batch).order_by("number").values_list("number", "holder", "amount")

    def cells() -> Any:
        yield TITLES
        for number, holder, amount in lines[:rows].iterator(chunk_size=2_000):
            failed = number % FAILS == 0
            result = ("失败", "账户已销户") if failed else ("成功", "")
            yield batch.number, number, "", holder, amount, *result, "2026-11-20"

    Path(path).write_bytes(plain_workbook("回盘", cells(), headings=1))
    return rows or batch.lines


def import_return(path: str) -> dict[str, Any]:
    """Take the whole return in."""
    content = Path(path).read_bytes()
    file = return_import(
        batch_id=Batch.objects.get().pk, name="回盘.xlsx", content=content, actor=_user("finance")
    )
    return dict(file.counts)


def tied() -> bool:
    """The lines add up to the batch, whatever state they are in."""
    amounts = Payment.objects.annotate(net=F("amount") - F("offset")).values_list("net", flat=True)
    return sum(amounts, Decimal(0)) == Batch.objects.get().amount


def _profiles_make() -> None:
    """The shipped formats; the registry has names with characters that GBK does not know."""
    bank_profiles_ensure(county_code=COUNTY)
    for profile in BankProfile.objects.filter(layout__encoding="gbk"):
        profile.layout["encoding"] = "gb18030"
        profile.save()


def _user(name: str) -> User:
    return User.objects.get(username=name)


def _accounts_write() -> None:
    """A fictional account for every elder."""
    random = chance(SEED, "payment accounts")
    elders = iter(Elder.objects.order_by("pk").values_list("pk", "name"))
    since = "[2020-01-01,)"
    columns = "elder_id, bank, holder, account_cipher, account_index, valid"
    with connection.cursor() as cursor:
        while some := list(islice(elders, CHUNK)):
            with cursor.copy(f"COPY eldercare_bankaccount ({columns}) FROM STDIN") as copy:
                for elder, name in some:
                    account = bank_account(random)
                    row = (elder, "县农村信用合作联社", name, encrypt(account), blind_index(account), since)
                    copy.write_row(row)
