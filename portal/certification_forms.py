"""Shape and cleaning of what staff type into certification: a proof, and a round."""

from typing import Any, Final

from django import forms

from catalog.choices import Form, Subject, Track
from catalog.models import Item
from subsidies.choices import CertificationMode

DAY: Final = {
    "invalid": "{label}应写成 2026-11-01 的样子。",
    "required": "请填写{label}，写成 2026-11-01 的样子。",
}
Mode = CertificationMode
#: Ways that a person chooses, the usual one first; a visit certifies by itself.
MODES: Final = tuple(
    (mode.value, mode.label) for mode in (Mode.ONSITE, Mode.VIDEO, Mode.FACE, Mode.DATA, Mode.OTHER)
)
ALIVE: Final = (("1", "确认在世"), ("0", "未能确认"))


def day_field(label: str) -> forms.DateField:
    """A day typed as 2026-11-01."""
    messages = {code: text.format(label=label) for code, text in DAY.items()}
    return forms.DateField(label=label, input_formats=["%Y-%m-%d"], error_messages=messages)


class ProofForm(forms.Form):
    """One proof of one elder on a round's list."""

    elder = forms.IntegerField(
        widget=forms.HiddenInput, error_messages={"required": "请从名单上选择一位老年人。"}
    )
    mode = forms.ChoiceField(
        choices=MODES, error_messages={"required": "请选择认证方式。", "invalid_choice": "请选择认证方式。"}
    )
    alive = forms.ChoiceField(
        choices=ALIVE, error_messages={"required": "请选择认证结果。", "invalid_choice": "请选择认证结果。"}
    )
    on = day_field("认证日期")
    note = forms.CharField(
        max_length=200, required=False, error_messages={"max_length": "说明太长，请不要超过 200 个字。"}
    )

    def clean(self) -> dict[str, Any]:
        """Ask for a word where somebody could not be confirmed: others have to look into it."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("alive") == "0" and not cleaned.get("note"):
            self.add_error("note", "未能确认在世时，请在说明里写明情况，例如“家中无人，邻居称外出务工”。")
        return cleaned


class RoundForm(forms.Form):
    """A round that a clerk opens by hand."""

    name = forms.CharField(
        max_length=60,
        error_messages={
            "required": "请填写轮次名称，例如“2026年第4季度生存认证”。",
            "max_length": "轮次名称太长，请不要超过 60 个字。",
        },
    )
    items = forms.ModelMultipleChoiceField(
        Item.objects.none(),
        error_messages={"required": "请至少选择一个项目。", "invalid_choice": "请从列出的项目中选择。"},
    )
    opens = day_field("开始日期")
    due = day_field("截止日期")
    suspends_on = day_field("逾期暂停日")

    def __init__(self, *args: Any, county_code: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["items"]
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101  # tells the type checker
        field.queryset = round_items(county_code)


def round_items(county_code: str) -> Any:
    """Items of the county's list that are decided person by person or household by household, with money."""
    return (
        Item.objects.filter(
            document__area=county_code,
            subject__in=[Subject.PERSON, Subject.HOUSEHOLD],
            form=Form.CASH,
            versions__track=Track.PERSON,
        )
        .distinct()
        .order_by("number", "code")
    )
