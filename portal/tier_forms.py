"""Shape and cleaning of a visit tier as the county types it in."""

from datetime import date
from typing import Any, Final

from django import forms
from django.utils import timezone

from catalog.choices import Per, VisitMode
from catalog.models import VisitTier
from catalog.services.tier import TierDraft

MONTHS_AHEAD: Final = 6
MAX_RULE: Final = 4_000
NUMBER: Final = {
    "required": "请填写{}。",
    "invalid": "{}应是整数。",
    "min_value": "{}太小，不能小于 %(limit_value)s。",
    "max_value": "{}太大，不能大于 %(limit_value)s。",
}


def coming_months(today: date) -> list[date]:
    """The first days of the months in which a version may begin."""
    first = today.year * 12 + today.month
    return [date(number // 12, number % 12 + 1, 1) for number in range(first, first + MONTHS_AHEAD)]


def _number(label: str, least: int, most: int, *, required: bool = True) -> forms.IntegerField:
    messages = {code: text.format(label) for code, text in NUMBER.items()}
    return forms.IntegerField(
        label=label, min_value=least, max_value=most, required=required, error_messages=messages
    )


def _text(label: str, longest: int, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=longest,
        required=required,
        error_messages={
            "required": f"请填写{label}。",
            "max_length": f"{label}太长，请不要超过 {longest} 个字。",
        },
    )


class TierForm(forms.Form):
    """A version of a tier and the month from which it holds."""

    since = forms.DateField(
        error_messages={"required": "请选择从哪个月起执行。", "invalid": "请选择从哪个月起执行。"}
    )
    code = forms.RegexField(
        r"^[A-Za-z0-9_-]{1,40}$",
        error_messages={
            "required": "请填写编码。",
            "invalid": "编码只用英文字母、数字、- 和 _，不超过 40 个，例如 week。",
        },
    )
    name = _text("名称", 40)
    rule = _text("条件", MAX_RULE)
    times = _number("次数", 1, 31)
    per = forms.ChoiceField(
        choices=Per.choices, error_messages={"required": "请选择周期。", "invalid_choice": "请选择周期。"}
    )
    modes = forms.MultipleChoiceField(
        choices=VisitMode.choices,
        error_messages={"required": "请至少选一种方式。", "invalid_choice": "请从列出的方式里选择。"},
    )
    in_person = _number("至少上门次数", 0, 31)
    order = _number("优先顺序", 0, 999)
    clause = _text("条款", 60, required=False)
    note = _text("说明", 500, required=False)

    def clean_since(self) -> date:
        """One of the coming months."""
        since: date = self.cleaned_data["since"]
        if since not in coming_months(timezone.localdate()):
            raise forms.ValidationError("只能从以后某个月的 1 日起执行，请从列出的月份里选择。")
        return since

    def draft(self, before: VisitTier | None = None) -> TierDraft:
        """What was typed, for a valid form; before: the version whose days of grace, which nobody types, go on."""
        said: dict[str, Any] = {name: self.cleaned_data[name] for name in self.fields if name != "since"}
        return TierDraft(
            **said | {"modes": tuple(said["modes"]), "grace_days": before.grace_days if before else 0}
        )


def typed_of(tier: VisitTier | None, since: date) -> dict[str, Any]:
    """What the form starts from: a version, or the usual for a new tier."""
    if tier is None:
        usual = {"times": 1, "per": Per.MONTH.value, "in_person": 0, "order": 9}
        return usual | {"modes": [VisitMode.HOME.value, VisitMode.PHONE.value], "since": f"{since}"}
    names = (
        "code",
        "name",
        "rule",
        "times",
        "per",
        "modes",
        "in_person",
        "order",
        "clause",
        "note",
    )
    return {name: getattr(tier, name) for name in names} | {"since": f"{since}"}
