"""How figures, months, icons and links are written on every page."""

import math
import re
from datetime import date
from decimal import Decimal
from typing import Final

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from operations.models import Job
from subsidies.tasks import KIND

register = template.Library()
BATCH: Final = re.compile(r"批次 (\d+)")
QUOTED: Final = re.compile(r"['\"]([^'\"]*)['\"]")


@register.simple_tag
def icon(name: str) -> SafeString:
    """An outline icon of the sprite, silent for screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("portal/icons.svg"),
        name,
    )


@register.filter
def money(value: Decimal | None) -> str:
    """元 with thousands commas and two decimals; '—' when there is no amount."""
    return "—" if value is None else f"{value:,.2f}"


@register.filter
def count(value: int | str | None) -> str:
    """A whole number with thousands commas; '—' when there is none (a template hands '' for a missing key)."""
    return "—" if value is None or value == "" else f"{value:,}"


@register.filter
def month_label(value: date) -> str:
    """2026年11月."""
    return f"{value.year}年{value.month}月"


@register.filter
def rule_words(text: str) -> str:
    """A rule as a clerk reads it: ≥, ≤ and ≠, texts without quotes; the stored text stays as it is."""
    return QUOTED.sub(r"\1", text).replace(">=", "≥").replace("<=", "≤").replace("!=", "≠")


@register.filter
def batch_linked(notice: str) -> SafeString:
    """A notice whose «批次 12» opens that batch."""
    before, number, after = (*BATCH.split(notice, maxsplit=1), "", "")[:3]
    if not number:
        return format_html("{}", notice)
    url = reverse("portal:import-detail", args=[number])
    return format_html('{}<a href="{}">批次 {}</a>{}', before, url, number, after)


@register.filter
def time_left(job: Job) -> str:
    """About how long a running job still takes, by its pace so far; '' while that cannot be said."""
    if job.state != Job.State.RUNNING or not job.started_at or not job.done or job.done >= job.total:
        return ""
    elapsed = (timezone.now() - job.started_at).total_seconds()
    seconds = elapsed * (job.total - job.done) / job.done
    return f"约还需 {math.ceil(seconds / 60)} 分钟" if seconds > 60 else f"约还需 {math.ceil(seconds)} 秒"


@register.filter
def outcome(job: Job) -> str:
    """What a finished run of a month came to; '' for other jobs and for one that is not done."""
    if job.kind != KIND or job.state != Job.State.DONE or "formed" not in job.result:
        return ""
    month, revision = month_label(date.fromisoformat(job.params["month"])), job.result["revision"]
    version = f"形成第 {revision} 版" if job.result["formed"] else f"资料没有变化，沿用第 {revision} 版"
    return f"{month}核定完成：{count(job.result['persons'])} 人；{version}"


@register.filter
def month_slug(value: date) -> str:
    """2026-11, as URLs write a month."""
    return f"{value:%Y-%m}"
