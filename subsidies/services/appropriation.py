"""Recording money granted (预算下达); nothing is edited, what is taken back is a negative row."""

from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from catalog.models import Item
from operations.services.audit import audit_record
from organization.choices import Permission
from organization.models import User
from subsidies.choices import FundSource
from subsidies.models import Appropriation
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch_transition import refuse_without

YEARS = range(2000, 2100)


def appropriation_record(
    *,
    county_code: str,
    year: int,
    source: str,
    item: Item | None,
    amount: Decimal,
    document: str,
    actor: User,
) -> Appropriation:
    """Record a grant of a year: to an item, or with item None a source's whole income.

    amount: 元, below 0 for what is taken back. The same grant twice in a row by the same person is one grant.
    """
    refuse_without(actor=actor, permission=Permission.BUDGET_MANAGE, county_code=county_code)
    given = {"county_code": county_code, "year": year, "source": FundSource(source), "item": item}
    document = _checked(year, amount, document, item, county_code)
    with transaction.atomic():
        _one_at_a_time(county_code)
        known = Appropriation.objects.filter(**given).select_related("made_by")
        last = known.order_by("-id").first()
        if last is not None and (last.amount, last.document) == (amount, document):
            return _recorded_before(last, actor)
        whole = (known.aggregate(sum=Sum("amount"))["sum"] or Decimal("0.00")) + amount
        if whole < 0:
            raise MoneyRefusedError(
                f"收回 {-amount:,.2f} 元后，该项预算为 {whole:,.2f} 元；收回的不能多于已下达的"
            )
        row = Appropriation.objects.create(**given, amount=amount, document=document, made_by=actor)
        audit_record(
            action="登记预算下达",
            subject=f"budget:{county_code}:{year}",
            actor=actor,
            data={
                "source": row.source,
                "item": item.code if item else "",
                "amount": str(amount),
                "document": document,
            },
        )
    return row


def _checked(year: int, amount: Decimal, document: str, item: Item | None, county_code: str) -> str:
    document = document.strip()
    if year not in YEARS:
        raise MoneyRefusedError(f"年度“{year}”不对，请填四位年份")
    if not amount or amount != amount.quantize(Decimal("0.01")):
        raise MoneyRefusedError("金额不能为 0，且最多两位小数（元）")
    if not document or len(document) > 80:
        raise MoneyRefusedError("请填写下达文号，最多 80 个字")
    if item is not None and item.document.area_id != county_code:
        raise MoneyRefusedError(f"项目“{item}”不在本县清单中，请另选项目")
    return document


def _one_at_a_time(county_code: str) -> None:
    """Two clicks at once would both find the grant missing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('appropriation'), hashtext(%s))", [county_code])


def _recorded_before(row: Appropriation, actor: User) -> Appropriation:
    if row.made_by_id == actor.pk:
        return row
    at = timezone.localtime(row.made_at)
    raise MoneyRefusedError(
        f"同一文号、同一金额已由 {row.made_by} 于 {at:%m-%d %H:%M} 登记；如确有第二笔，请在文号后注明"
    )
