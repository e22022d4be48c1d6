"""Shape and cleaning of what staff type in."""

from typing import Final

from django import forms
from django.contrib.auth.forms import AuthenticationForm

MAX_UPLOAD: Final = 20 * 1024 * 1024
UPLOAD_TYPES: Final = (".xlsx", ".xls", ".csv")


class SignInForm(AuthenticationForm):
    """Account and password; the same words for an unknown account and a wrong password."""

    error_messages = {
        "invalid_login": "用户名或密码不正确，请核对后重新输入。",
        "inactive": "用户名或密码不正确，请核对后重新输入。",
    }


class RevealForm(forms.Form):
    """Why a full ID number has to be seen."""

    reason = forms.CharField(
        min_length=4,
        max_length=100,
        error_messages={
            "required": "请写明查看原因，例如“核对身份证原件”。",
            "min_length": "原因太短，请至少写 4 个字，例如“核对身份证原件”。",
            "max_length": "原因太长，请不要超过 100 个字。",
        },
    )


def faults_of(form: forms.Form) -> list[str]:
    """Every fault of a form, one sentence each."""
    return [str(error) for errors in form.errors.values() for error in errors]


class SheetForm(forms.Form):
    """A file of rows to be taken in."""

    file = forms.FileField(
        error_messages={"required": "请选择要上传的文件。", "empty": "这个文件是空的，请选择有内容的文件。"}
    )

    def clean_file(self) -> object:
        """Refuse by name and size before anything is read."""
        file = self.cleaned_data["file"]
        if not file.name.lower().endswith(UPLOAD_TYPES):
            raise forms.ValidationError(
                "只能上传 xlsx、xls 或 csv 文件；请在表格软件中另存为 xlsx 后再上传。"
            )
        if file.size > MAX_UPLOAD:
            raise forms.ValidationError("文件超过 20 MB；请按镇（街）拆成几个文件分别上传。")
        return file


class UploadForm(SheetForm):
    """A roster file and the day from which its circumstances hold."""

    as_of = forms.DateField(
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "日期应写成 2026-11-01 的样子。", "required": "请填写起始日期。"},
    )
