"""Visit tiers kept by the county itself, as dated versions: a version in force is never rewritten."""

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from catalog.choices import VisitMode
from catalog.models import Document, VisitTier
from catalog.selectors import policy_faults, rule_get
from operations.commands import Refused
from operations.services.audit import audit_record
from organization.models import User
from rules import RuleError

ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class TierDraft:
    """What a version of a tier says."""

    code: str
    name: str
    rule: str
    times: int
    per: str
    modes: tuple[str, ...]
    in_person: int
    grace_days: int
    order: int
    clause: str = ""
    note: str = ""

    def says_the_same(self, tier: VisitTier) -> bool:
        """Whether nothing but perhaps the clause and the note differs."""
        own = [getattr(self, field.name) for field in fields(self)[1:9]]
        theirs = [getattr(tier, field.name) for field in fields(self)[1:9]]
        return own == [tuple(each) if isinstance(each, list) else each for each in theirs]


def tier_set(*, document: Document, draft: TierDraft, since: date, actor: User) -> VisitTier:
    """Have a version of a tier, or a new tier, in force from the first day of a coming month. Raises Refused.

    The version before it ends the day before; one planned for the same day is replaced, one planned for later stays
    and ends this one.
    """
    _check_day(since)
    _check(document, draft, since)
    with transaction.atomic():
        rows = _rows(document, draft.code)
        before = next((row for row in rows if row.valid.lower < since and _reaches(row, since)), None)
        same = next((row for row in rows if row.valid.lower == since), None)
        later = next((row for row in rows if row.valid.lower > since), None)
        if same is None and before is not None and draft.says_the_same(before):
            raise Refused("与此前的版本没有不同，不用另设新版本")
        if before is not None and before.valid.upper != since:
            before.valid = DateRange(before.valid.lower, since)
            before.save(update_fields=["valid"])
        tier = same or VisitTier(document=document)
        for field in fields(draft):
            value = getattr(draft, field.name)
            setattr(tier, field.name, list(value) if field.name == "modes" else value)
        tier.valid = DateRange(since, later.valid.lower if later else None)
        tier.ended_here = False
        tier.save()
        if faults := policy_faults(area_code=document.area_id, day=since):
            raise Refused("；".join(faults))
        audit_record(
            action="设置探访层级",
            subject=f"{document.code} {draft.code}",
            actor=actor,
            data={"since": str(since), "replaced": same is not None}
            | {field.name: getattr(draft, field.name) for field in fields(draft)},
        )
    return tier


def tier_end(*, document: Document, code: str, since: date, actor: User) -> VisitTier:
    """Have a tier in force no longer from the first day of a coming month. Raises Refused."""
    _check_day(since)
    with transaction.atomic():
        rows = _rows(document, code)
        if any(row.valid.lower >= since for row in rows):
            raise Refused("这一层级已安排了以后的新版本；请先撤回那个版本，再停用")
        tier = next((row for row in rows if _reaches(row, since)), None)
        if tier is None or tier.valid.upper == since:
            raise Refused(f"这一层级在 {since - ONE_DAY} 之后已不执行，不用再停用")
        tier.valid = DateRange(tier.valid.lower, since)
        tier.ended_here = True
        tier.save(update_fields=["valid", "ended_here"])
        audit_record(
            action="停用探访层级", subject=f"{document.code} {code}", actor=actor, data={"since": str(since)}
        )
    return tier


def tier_withdraw(*, tier: VisitTier, actor: User) -> None:
    """Take back a version that is not yet in force: the one before it goes on. Raises Refused."""
    with transaction.atomic():
        rows = _rows(tier.document, tier.code)
        found = next((row for row in rows if row.pk == tier.pk), None)
        if found is None:
            raise Refused("这个版本已被撤回；请刷新页面")
        if found.valid.lower <= timezone.localdate():
            raise Refused("这个版本已经执行，不能撤回；请另设新版本，或从以后某月起停用")
        before = next((row for row in rows if row.valid.upper == found.valid.lower), None)
        upper = found.valid.upper
        found.delete()
        if before is not None:
            before.valid, before.ended_here = DateRange(before.valid.lower, upper), found.ended_here
            before.save(update_fields=["valid", "ended_here"])
        audit_record(
            action="撤回探访层级版本",
            subject=f"{tier.document.code} {tier.code}",
            actor=actor,
            data={"since": str(found.valid.lower)},
        )


def _rows(document: Document, code: str) -> list[VisitTier]:
    """Versions of a tier, earliest first; changes of one document's tiers wait for one another."""
    Document.objects.select_for_update().get(pk=document.pk)
    return list(VisitTier.objects.filter(document=document, code=code).order_by("valid"))


def _reaches(row: VisitTier, day: date) -> bool:
    """Whether the version is in force up to the day before, or longer."""
    return row.valid.upper is None or row.valid.upper >= day


def _check_day(since: date) -> None:
    if since.day != 1 or since <= timezone.localdate():
        raise Refused("只能从以后某个月的 1 日起执行；本月的应访名单已经按现行层级生成")


def _check(document: Document, draft: TierDraft, since: date) -> None:
    if draft.in_person and VisitMode.HOME not in draft.modes:
        raise Refused("至少上门次数：要求上门，方式里就要有上门")
    try:
        rule_get(area_code=document.area_id, day=since, text=draft.rule)
    except RuleError as error:
        raise Refused(f"条件{error}") from None
