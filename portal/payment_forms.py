"""Shape and cleaning of what staff type in about payments."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

from django import forms

from subsidies.choices import FirstMonth, FundSource

MONTH: Final = "%Y-%m"
RETURN_TYPES: Final = (".xlsx", ".xls", ".csv", ".txt", ".dat")
MAX_RETURN: Final = 20 * 1024 * 1024


class MonthField(forms.DateField):
    """A month typed as 2026-11; its first day."""

    def __init__(self, **kwargs: Any) -> None:
        words = {"invalid": "月份应写成 2026-11 的样子。", "required": "请填写月份。"}
        super().__init__(input_formats=[MONTH], error_messages=words, **kwargs)


class TermsForm(forms.Form):
    """Payment terms of an item."""

    first_month = MonthField()
    notice_days = forms.IntegerField(
        min_value=0,
        max_value=60,
        error_messages={
            "required": "请填写公示天数，不公示填 0。",
            "invalid": "公示天数应为整数。",
            "min_value": "公示天数不能小于 0。",
            "max_value": "公示天数不能超过 60 天。",
        },
    )
    start = forms.ChoiceField(
        choices=FirstMonth.choices,
        error_messages={"required": "请选择起始月规则。", "invalid_choice": "请选择起始月规则。"},
    )
    certify_months = forms.IntegerField(
        min_value=0,
        max_value=60,
        error_messages={
            "required": "请填写认证周期，不需要认证填 0。",
            "invalid": "认证周期应为整数（月）。",
            "min_value": "认证周期不能小于 0。",
            "max_value": "认证周期不能超过 60 个月。",
        },
    )
    certify_grace_days = forms.IntegerField(
        min_value=0,
        max_value=180,
        error_messages={
            "required": "请填写认证宽限天数。",
            "invalid": "认证宽限天数应为整数。",
            "min_value": "认证宽限天数不能小于 0。",
            "max_value": "认证宽限天数不能超过 180 天。",
        },
    )


class FundingForm(forms.Form):
    """Shares of the two sources from a month on; together 100."""

    funding_month = MonthField()
    fiscal = forms.DecimalField(
        min_value=0,
        max_value=100,
        decimal_places=2,
        error_messages={
            "required": "请填写财政资金的比例。",
            "invalid": "比例应为数字，例如 60 或 62.5。",
            "min_value": "比例不能小于 0。",
            "max_value": "比例不能超过 100。",
            "max_decimal_places": "比例最多两位小数。",
        },
    )

    def shares(self) -> dict[str, Decimal]:
        """Source → percent; 彩票公益金 bears what 财政 does not."""
        fiscal: Decimal = self.cleaned_data["fiscal"]
        return {FundSource.FISCAL: fiscal, FundSource.LOTTERY: Decimal(100) - fiscal}


class AppropriationForm(forms.Form):
    """Money granted in a year, or taken back (negative)."""

    year = forms.IntegerField(
        min_value=2000,
        max_value=2099,
        error_messages={
            "required": "请填写年度。",
            "invalid": "年度应为四位数字，例如 2026。",
            "min_value": "年度应为四位数字，例如 2026。",
            "max_value": "年度应为四位数字，例如 2026。",
        },
    )
    source = forms.ChoiceField(
        choices=FundSource.choices,
        error_messages={"required": "请选择资金来源。", "invalid_choice": "请选择资金来源。"},
    )
    item = forms.IntegerField(required=False, error_messages={"invalid": "请选择项目。"})
    amount = forms.DecimalField(
        max_digits=14,
        decimal_places=2,
        error_messages={
            "required": "请填写金额。",
            "invalid": "金额应为数字，单位元，例如 120000.00；收回的预算填负数。",
            "max_decimal_places": "金额最多两位小数。",
            "max_digits": "金额过大，请核对。",
            "max_whole_digits": "金额过大，请核对。",
        },
    )
    document = forms.CharField(
        max_length=80,
        error_messages={
            "required": "请填写下达文号，例如“财社〔2026〕12号”。",
            "max_length": "下达文号不超过 80 个字。",
        },
    )

    def clean_amount(self) -> Decimal:
        """Nothing granted is no row."""
        amount: Decimal = self.cleaned_data["amount"]
        if not amount:
            raise forms.ValidationError("金额不能为 0。")
        return amount


class ReturnForm(forms.Form):
    """A return file of the bank."""

    file = forms.FileField(
        error_messages={
            "required": "请选择银行返回的文件。",
            "empty": "这个文件是空的，请向银行重新索取。",
        }
    )

    def clean_file(self) -> object:
        """Refuse by name and size before anything is read."""
        file = self.cleaned_data["file"]
        if not file.name.lower().endswith(RETURN_TYPES):
            raise forms.ValidationError("回盘文件应为 xlsx、xls、csv 或 txt，请核对是不是银行返回的那一份。")
        if file.size > MAX_RETURN:
            raise forms.ValidationError("文件超过 20 MB，请银行分成几份返回，再分次导入。")
        return file


def month_slug(month: date) -> str:
    """2026-11, as a month field shows it."""
    return month.strftime(MONTH)
