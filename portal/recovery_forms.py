"""Shape and cleaning of what staff type in about recovery cases."""

from typing import Any, Final

from django import forms

from subsidies.choices import RecoveryEntryKind, StopReason

MAX_PAPER: Final = 10 * 1024 * 1024
PAPERS: Final = (
    (".pdf", b"%PDF-"),
    (".jpg", b"\xff\xd8\xff"),
    (".jpeg", b"\xff\xd8\xff"),
    (".png", b"\x89PNG"),
)
NOTE: Final = {"max_length": "说明太长，请不要超过 200 个字。"}


class DayField(forms.DateField):
    """A day typed as 2026-11-01, named in its errors."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        words = {"invalid": f"{name}应写成 2026-11-01 的样子。", "required": f"请填写{name}。"}
        super().__init__(input_formats=["%Y-%m-%d"], error_messages=words, **kwargs)


class OpenForm(forms.Form):
    """Pairs of elder and item to open cases for; cause '': as the facts propose."""

    pair = forms.CharField(required=False)
    cause = forms.ChoiceField(
        required=False,
        choices=StopReason.choices,
        error_messages={"invalid_choice": "请选择列出的追缴原因，或留空按系统判断。"},
    )


class NotifyForm(forms.Form):
    """When the family was told, and until when it shall pay."""

    on = DayField("通知日期")
    pay_by = DayField("退回期限", required=False)


class ConsentForm(forms.Form):
    """The signed paper."""

    on = DayField("同意日期")
    file = forms.FileField(
        error_messages={"required": "请选择同意书的扫描件或照片。", "empty": "这个文件是空的，请重新选择。"}
    )

    def clean_file(self) -> object:
        """Take only what is a PDF or a picture by its first bytes too."""
        file = self.cleaned_data["file"]
        name = file.name.lower()
        beginning = next((magic for suffix, magic in PAPERS if name.endswith(suffix)), None)
        if beginning is None or not file.read(8).startswith(beginning):
            raise forms.ValidationError("同意书只能是 pdf、jpg 或 png 文件；请扫描或拍照后再上传。")
        if file.size > MAX_PAPER:
            raise forms.ValidationError("文件超过 10 MB；请降低扫描精度后再上传。")
        file.seek(0)
        return file


class RepayForm(forms.Form):
    """Money that came back."""

    amount = forms.DecimalField(
        max_digits=12,
        decimal_places=2,
        error_messages={
            "required": "请填写退回金额。",
            "invalid": "退回金额应为数字，例如 150.00。",
            "max_decimal_places": "退回金额最多两位小数，例如 150.00。",
            "max_digits": "退回金额太大，请核对。",
            "max_whole_digits": "退回金额太大，请核对。",
        },
    )
    on = DayField("退款日期")
    note = forms.CharField(required=False, max_length=200, error_messages=NOTE)
    key = forms.UUIDField(
        error_messages={
            "required": "页面已过期，请刷新后重新填写。",
            "invalid": "页面已过期，请刷新后重新填写。",
        }
    )


class ReverseForm(forms.Form):
    """Which entry is taken back, and why."""

    entry = forms.IntegerField(
        error_messages={"required": "请选择要冲正的一笔。", "invalid": "请选择要冲正的一笔。"}
    )
    note = forms.CharField(
        max_length=200, error_messages=NOTE | {"required": "请写明冲正的理由，例如“登记错户”。"}
    )
    key = forms.UUIDField(
        error_messages={
            "required": "页面已过期，请刷新后重新填写。",
            "invalid": "页面已过期，请刷新后重新填写。",
        }
    )


class RequestForm(forms.Form):
    """A write-off or a cancellation, and why."""

    kind = forms.ChoiceField(
        choices=[(kind, kind.label) for kind in (RecoveryEntryKind.WRITE_OFF, RecoveryEntryKind.CANCEL)],
        error_messages={"required": "请选择核销还是撤销。", "invalid_choice": "请选择核销还是撤销。"},
    )
    reason = forms.CharField(
        max_length=200,
        error_messages={
            "required": "请写明申请的理由。",
            "max_length": "理由太长，请不要超过 200 个字。",
        },
    )


class DecideForm(forms.Form):
    """The decision on a request."""

    request = forms.IntegerField(
        error_messages={"required": "请刷新页面后再审批。", "invalid": "请刷新页面后再审批。"}
    )
    decision = forms.ChoiceField(
        choices=[("yes", "批准"), ("no", "不批准")],
        error_messages={"required": "请选择批准或不批准。", "invalid_choice": "请选择批准或不批准。"},
    )
    opinion = forms.CharField(
        required=False,
        max_length=200,
        error_messages={"max_length": "意见太长，请不要超过 200 个字。"},
    )
