"""Shape and cleaning of what staff type in about applications and enrolments."""

from datetime import date, datetime
from typing import Any, Final

from django import forms

from subsidies.choices import Channel, EnrolmentAction, ResumeReason, StopReason

LONG: Final = {"max_length": "写得太长，请不要超过 200 个字。"}
#: acts that staff may choose; 登记 comes from applications
ACTS: Final = (EnrolmentAction.SUSPEND, EnrolmentAction.RESUME, EnrolmentAction.STOP)


class MonthField(forms.Field):
    """A month typed as 2026-11; in Python its first day, None if left out."""

    def to_python(self, value: Any) -> date | None:
        """First day of the month."""
        if not value:
            return None
        try:
            return datetime.strptime(str(value).strip(), "%Y-%m").date()  # noqa: DTZ007  # a month has no time zone
        except ValueError:
            raise forms.ValidationError("月份应写成 2026-11 的样子。") from None


class ApplicationForm(forms.Form):
    """An application as it is handed in."""

    item = forms.IntegerField(
        error_messages={"required": "请选择申请的项目。", "invalid": "请选择申请的项目。"}
    )
    channel = forms.ChoiceField(
        choices=Channel.choices,
        error_messages={"required": "请选择申请来源。", "invalid_choice": "请选择列出的申请来源。"},
    )
    agent_name = forms.CharField(
        required=False, max_length=60, error_messages={"max_length": "代办人姓名不要超过 60 个字。"}
    )
    agent_relation = forms.CharField(
        required=False, max_length=20, error_messages={"max_length": "与本人关系不要超过 20 个字。"}
    )
    applied_on = forms.DateField(
        input_formats=["%Y-%m-%d"],
        error_messages={"required": "请填写申请日期。", "invalid": "申请日期应写成 2026-11-01 的样子。"},
    )
    note = forms.CharField(required=False, max_length=200, error_messages=LONG)


class ApproveForm(forms.Form):
    """An approval with, if it is not the proposed one, the first month paid."""

    first_month = MonthField(required=False)


class EnrolmentForm(forms.Form):
    """One act upon what an elder draws."""

    action = forms.ChoiceField(
        choices=[(act, act.label) for act in ACTS],
        error_messages={"required": "请选择办理什么。", "invalid_choice": "请选择办理什么。"},
    )
    item = forms.IntegerField(error_messages={"required": "请选择项目。", "invalid": "请选择项目。"})
    reason = forms.ChoiceField(
        choices=[*StopReason.choices, *ResumeReason.choices],
        error_messages={"required": "请选择原因。", "invalid_choice": "请选择列出的原因。"},
    )
    month = MonthField(required=False)
    note = forms.CharField(required=False, max_length=200, error_messages=LONG)
