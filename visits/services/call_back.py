"""Calling back: a seeded sample per township and month, and what the elder said (docs/guide/16)."""

import secrets
from datetime import date
from typing import Final

from django.db import transaction
from django.utils import timezone

from operations.commands import Refused
from operations.services.audit import audit_record
from organization.areas import county_code
from organization.choices import Permission
from organization.models import Area, User
from visits.call_backs import DRAWN, draw_subject, draws_visible, records_to_draw
from visits.choices import CallBackResult
from visits.models import CallBack, CallBackDraw
from visits.months import locked_townships, months_hold_alone
from visits.sample import sample_draw
from visits.slots import next_month

FINAL: Final = (CallBackResult.CONFIRMED, CallBackResult.REFUTED)
LEAST_NOTE: Final = 4


def call_backs_draw(
    *, month: date, area_code: str, actor: User, seed: str = "", today: date | None = None
) -> CallBackDraw:
    """Draw the township's sample of a month that is over or submitted; once, whoever asks again.

    month: its first day; seed: up to 32 characters, made here if none is given. The audit keeps seed, records and
    sample. Raises Refused.
    """
    _allowed(actor, area_code)
    today = today or timezone.localdate()
    with transaction.atomic():
        # no visit is being counted and no other draw made meanwhile
        months_hold_alone()
        earlier = (
            CallBackDraw.objects.filter(month=month, area_code=area_code).select_related("drawn_by").first()
        )
        if earlier:
            at = timezone.localtime(earlier.drawn_at)
            raise Refused(f"这个月已由 {earlier.drawn_by} 于 {at:%m-%d %H:%M} 抽取，一个月只抽一次")
        if today < next_month(month) and (month, area_code) not in locked_townships([month]):
            raise Refused(
                f"{month.year}年{month.month}月还没有结束，月报也没有提交；月末过后或提交后再抽取，才能抽到全月的记录"
            )
        records = records_to_draw(month, area_code)
        if not records:
            raise Refused(f"{month.year}年{month.month}月没有有效探访，没有可以回访的记录")
        flagged = [record for record, signalled in records.items() if signalled]
        seed = seed or secrets.token_hex(16)
        sample = sample_draw(seed, records, flagged)
        draw = CallBackDraw.objects.create(
            month=month,
            area_code=area_code,
            seed=seed,
            population=len(records),
            drawn=len(sample),
            drawn_by=actor,
        )
        CallBack.objects.bulk_create(CallBack(draw=draw, visit_id=record) for record in sample)
        kept = {"records": records, "flagged": flagged, "drawn": sample}
        audit_record(
            action=DRAWN,
            subject=draw_subject(draw),
            actor=actor,
            data={"month": f"{month:%Y-%m}", "area": area_code, "seed": seed}
            | {name: sorted(str(record) for record in ids) for name, ids in kept.items()},
        )
    return draw


def call_back_record(*, call_back_id: int, result: str, note: str, actor: User) -> CallBack:
    """Note what the elder said. Nobody calls about a record of their own; 未接通 may be tried again.

    Raises Refused; CallBack.DoesNotExist outside the actor's areas.
    """
    note = note.strip()
    if result not in CallBackResult.values:
        raise Refused("请选择回访结果：属实、不属实或未接通")
    if result == CallBackResult.REFUTED and len(note) < LEAST_NOTE:
        raise Refused(f"不属实的要在说明里写清老人怎么说（至少 {LEAST_NOTE} 个字）")
    if len(note) > 200:
        raise Refused("说明最多 200 个字")
    with transaction.atomic():
        call = _locked_call(call_back_id, actor)
        if call.visit.recorder_id == actor.pk:
            raise Refused("这条记录是您自己登记的，要由别人回访")
        if call.result in FINAL and call.called_at:
            at = timezone.localtime(call.called_at)
            raise Refused(f"已由 {call.called_by} 于 {at:%m-%d %H:%M} 登记为{call.result}，没有改动")
        call.result, call.note, call.called_by, call.called_at = result, note, actor, timezone.now()
        call.save()
        audit_record(
            action="登记回访结果",
            subject=f"visit:{call.visit_id}",
            actor=actor,
            data={"draw": call.draw_id, "result": result, "note": note},
        )
    return call


def _allowed(actor: User, area_code: str) -> None:
    """A township of a county, in an area in which the actor calls back."""
    inside = any(area_code.startswith(prefix) for prefix in actor.area_prefixes(Permission.CALL_BACK))
    if not inside or not Area.objects.filter(code=area_code, parent_id=county_code(area_code)).exists():
        raise Refused("请选择您区划范围内的一个镇（街）")


def _locked_call(call_back_id: int, actor: User) -> CallBack:
    """The call, held against whoever notes a result at the same time."""
    calls = CallBack.objects.filter(draw__in=draws_visible(actor)).select_related("visit", "called_by")
    return calls.select_for_update(of=("self",)).get(pk=call_back_id)
