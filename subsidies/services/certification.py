"""生存认证: opening rounds, recording proofs, and the nightly pass (domain §2.6)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Item
from eldercare.choices import Kind
from eldercare.models import Elder
from eldercare.services.monthly_facts import partition_name
from operations.services.audit import audit_record
from organization.areas import is_county
from organization.choices import Permission
from organization.models import User
from subsidies.certification_periods import period_of
from subsidies.choices import CertificationMode, Outcome
from subsidies.missed import newest_month
from subsidies.models import Certification, CertificationRound, PaymentTerms
from subsidies.refusals import MoneyRefusedError, done_by
from subsidies.services.certification_settling import (
    Settled,
    certifications_settle,
    lock_alone,
    lock_shared,
)
from subsidies.services.enrolment_guard import elder_held

NO_NAME: Final = "请填写轮次名称，60 个字以内"
NO_ITEMS: Final = "请至少选择一个本县按人或按家庭发放的项目"
BAD_DAYS: Final = "截止日期不能早于开始日期，逾期暂停日应在截止日期之后；请核对三个日期"
TOO_LATE: Final = "逾期暂停日 {day} 应晚于今天，让老年人有时间认证；请改后一些"
NOT_YOUR_COUNTY: Final = "您不能管理这个县的认证轮次；请由县民政局经办人办理"
NAME_TAKEN: Final = "“{name}”{told}；请换一个名称，或直接打开这一轮"
NOTHING_DECIDED: Final = "本县还没有核定过月份，不知道谁在享受；请先运行月度核定"
NOBODY: Final = "最近核定的 {month:%Y年%m月} 没有人应发这些项目，不需要认证"
NO_MODE: Final = "请选择认证方式"
IN_FUTURE: Final = "认证日期 {day} 晚于今天；请填写实际见到本人的日期"
RECORDED: Final = "{day} 的{mode}认证{told}，结论不能再改；如有不同情况，请改用其他方式另行登记"
DEAD: Final = "这位老年人登记的死亡日期是 {day}，不能在此之后认证在世；请先核实死亡登记"
BY_VISIT: Final = "探访认证由探访记录自动形成；请登记探访，或选择其他认证方式"


def certification_round_open(
    *,
    county_code: str,
    item_ids: Sequence[int],
    name: str,
    opens: date,
    due: date,
    suspends_on: date,
    actor: User | None = None,
    today: date | None = None,
) -> CertificationRound:
    """Open a round for everyone who draws one of the items by the newest month; the dead are left out.

    Proofs since `opens` that are known already count. The same round again by the same person is returned. actor:
    None for the calendar's rounds. Raises MoneyRefusedError.
    """
    name, today = name.strip(), today or timezone.localdate()
    items = _items(county_code, item_ids)
    _check_round(county_code, name, items, (opens, due, suspends_on), today)
    if actor is not None and not any(
        county_code.startswith(prefix) for prefix in actor.area_prefixes(Permission.CERTIFICATION_MANAGE)
    ):
        raise MoneyRefusedError(NOT_YOUR_COUNTY)
    with transaction.atomic():
        lock_alone()
        known = CertificationRound.objects.filter(county_code=county_code, name=name).first()
        if known is not None:
            same = (known.opens, known.due, known.suspends_on) == (opens, due, suspends_on)
            if same and known.made_by_id == (actor.pk if actor else None):
                return known
            told = done_by(known.made_by, known.made_at, "开启")
            raise MoneyRefusedError(NAME_TAKEN.format(name=name, told=told))
        row = CertificationRound.objects.create(
            county_code=county_code,
            name=name,
            opens=opens,
            due=due,
            suspends_on=suspends_on,
            made_by=actor,
        )
        row.items.set(items)
        listed = _list(row, [item.pk for item in items], today)
        certifications_settle(today=today)
        audit_record(
            action="开启认证轮次",
            subject=f"certification:{row.pk}",
            actor=actor,
            data={"name": name, "items": [item.code for item in items], "listed": listed}
            | {"opens": opens.isoformat(), "due": due.isoformat(), "suspends_on": suspends_on.isoformat()},
        )
    return row


def certification_record(
    *,
    elder: Elder,
    on: date,
    mode: str,
    actor: User,
    place: str = "",
    note: str = "",
    alive: bool = True,
) -> Certification:
    """Record that an elder was found alive, or could not be confirmed; what was suspended for want of it goes on.

    alive False writes no death: it stays on the list of those to look into. The same again by the same person changes
    nothing. Raises MoneyRefusedError.
    """
    way = _mode(mode)
    today = timezone.localdate()
    if on > today:
        raise MoneyRefusedError(IN_FUTURE.format(day=on))
    with transaction.atomic():
        lock_shared()
        elder = elder_held(elder, actor, Permission.CERTIFY)
        known = Certification.objects.filter(elder=elder, on=on, mode=way).select_related("actor").first()
        if known is not None:
            if known.actor_id == actor.pk and known.alive == alive:
                return known
            told = done_by(known.actor, known.at, "登记")
            raise MoneyRefusedError(RECORDED.format(day=on, mode=known.get_mode_display(), told=told))
        if alive:
            _refuse_dead(elder, on)
        proof = Certification.objects.create(
            elder=elder,
            on=on,
            mode=way,
            alive=alive,
            place=place.strip(),
            note=note.strip(),
            actor=actor,
        )
        settled = certifications_settle(today=today, elder_ids=[elder.pk], visits=False)
        audit_record(
            action="登记生存认证" if alive else "未能确认在世",
            subject=f"elder:{elder.pk}",
            actor=actor,
            data={"on": on.isoformat(), "mode": str(way), "resumed": settled.resumed},
        )
    return proof


def certifications_refresh(*, today: date) -> Settled:
    """Take proofs from visits, suspend the overdue, resume the certified; safe to repeat and in any order."""
    with transaction.atomic():
        lock_alone()
        settled = certifications_settle(today=today)
        if any(settled):
            audit_record(
                action="更新生存认证", subject=f"certification:{today}", data=dict(settled._asdict())
            )
    return settled


def certification_rounds_ensure(*, today: date) -> list[CertificationRound]:
    """Open the rounds that the items' terms ask for in the periods of the day; those that exist stay as they are."""
    cycles: dict[tuple[str, int], list[PaymentTerms]] = defaultdict(list)
    for terms in PaymentTerms.objects.filter(certify_months__gt=0, first_month__lte=today).select_related(
        "item__document"
    ):
        if is_county(terms.item.document.area_id):
            cycles[terms.item.document.area_id, terms.certify_months].append(terms)
    opened = []
    for (county_code, months), group in sorted(cycles.items(), key=lambda cycle: cycle[0]):
        period = period_of(today, months)
        if CertificationRound.objects.filter(county_code=county_code, name=period.name).exists():
            continue
        grace = max(terms.certify_grace_days for terms in group)
        try:
            row = certification_round_open(
                county_code=county_code,
                item_ids=[terms.item_id for terms in group],
                name=period.name,
                opens=period.opens,
                due=period.due,
                suspends_on=period.due + timedelta(days=grace + 1),
                today=today,
            )
        except MoneyRefusedError:
            continue  # nobody draws these items yet: asked again tomorrow
        opened.append(row)
    return opened


def _check_round(
    county_code: str, name: str, items: Iterable[Item], days: tuple[date, date, date], today: date
) -> None:
    opens, due, suspends_on = days
    if not name or len(name) > 60:
        raise MoneyRefusedError(NO_NAME)
    if not items:
        raise MoneyRefusedError(NO_ITEMS)
    if not opens <= due < suspends_on:
        raise MoneyRefusedError(BAD_DAYS)
    if suspends_on <= today:
        raise MoneyRefusedError(TOO_LATE.format(day=suspends_on))


def _items(county_code: str, item_ids: Sequence[int]) -> list[Item]:
    subjects = ("个人", "家庭")
    return list(
        Item.objects.filter(id__in=item_ids, document__area=county_code, subject__in=subjects).order_by("id")
    )


def _list(row: CertificationRound, item_ids: list[int], today: date) -> int:
    """Write the names of a round; refuse a round without any."""
    month = newest_month(row.county_code)
    if month is None:
        raise MoneyRefusedError(NOTHING_DECIDED)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO subsidies_certificationdue (round_id, elder_id, area_code, suspended)
            SELECT %(round)s, n.elder_id, min(n.area_code), false
            FROM {partition_name("subsidies_entitlement", month.month)} n
            WHERE n.county_code = %(county)s AND n.item_id = ANY (%(items)s) AND n.outcome = '{Outcome.DUE}'
              AND n.rev_from <= %(revision)s AND (n.rev_to IS NULL OR n.rev_to > %(revision)s)
              AND NOT EXISTS (SELECT FROM eldercare_circumstance x WHERE x.elder_id = n.elder_id
                              AND x.kind = '{Kind.DEATH}' AND x.valid @> %(today)s::date)
            GROUP BY n.elder_id ORDER BY n.elder_id""",
            {
                "round": row.pk,
                "county": row.county_code,
                "items": item_ids,
                "revision": month.revision,
                "today": today,
            },
        )
        listed = int(cursor.rowcount)
        # autovacuum would notice the new names only after they have been looked through
        cursor.execute("ANALYZE subsidies_certificationdue")
    if not listed:
        raise MoneyRefusedError(NOBODY.format(month=month.month))
    return listed


def _mode(value: str) -> CertificationMode:
    try:
        mode = CertificationMode(value)
    except ValueError:
        raise MoneyRefusedError(NO_MODE) from None
    if mode == CertificationMode.VISIT:
        raise MoneyRefusedError(BY_VISIT)
    return mode


def _refuse_dead(elder: Elder, on: date) -> None:
    death = elder.circumstances.filter(kind=Kind.DEATH, valid__contains=on).first()
    if death is not None and death.valid.lower < on:
        raise MoneyRefusedError(DEAD.format(day=death.valid.lower))
