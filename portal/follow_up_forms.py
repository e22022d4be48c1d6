"""Shape and cleaning of what staff type in about a follow-up."""

from typing import Final

from django import forms

from visits.choices import INSTITUTIONS

EXPIRED: Final = {"required": "页面已过期，请刷新后重新填写。", "invalid": "页面已过期，请刷新后重新填写。"}
ACTS: Final = (("accept", "接收"), ("report", "反馈"), ("done", "已办结"), ("dropped", "不需办理"))


class SeenForm(forms.Form):
    """The last step that the page knew of."""

    seen = forms.IntegerField(min_value=0, error_messages=EXPIRED | {"min_value": EXPIRED["invalid"]})


class StepForm(SeenForm):
    """A step with a word about it."""

    act = forms.ChoiceField(
        choices=ACTS, error_messages={"required": "请选择怎样办理。", "invalid_choice": "请选择怎样办理。"}
    )
    note = forms.CharField(required=False)


class HandOnForm(SeenForm):
    """Which bureau it goes to, and why."""

    bureau = forms.IntegerField(
        error_messages={"required": "请选择转给哪个单位。", "invalid": "请选择转给哪个单位。"}
    )
    reason = forms.CharField(
        error_messages={"required": "请写明转办理由，例如“属于适老化改造，由民政局办理”。"}
    )


class ConfirmForm(SeenForm):
    """When it happened and what shows it."""

    day = forms.DateField(
        input_formats=["%Y-%m-%d"],
        error_messages={
            "required": "请填写日期，写成 2026-11-01 的样子。",
            "invalid": "日期应写成 2026-11-01 的样子。",
        },
    )
    evidence = forms.CharField(error_messages={"required": "请写明依据，例如“家属出示死亡证明”。"})
    institution = forms.ChoiceField(
        required=False,
        choices=[("", "迁出"), *((name, name) for name in INSTITUTIONS)],
        error_messages={"invalid_choice": f"入住的机构只能选：{'、'.join(INSTITUTIONS)}。"},
    )
