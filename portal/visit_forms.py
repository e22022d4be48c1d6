"""Shape and cleaning of what staff type in about visits: sharing people out, and a paper's rows."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils import timezone

from organization.models import User
from portal.certification_forms import day_field

NOBODY: Final = "none"


class AssignForm(forms.Form):
    """Who gets people, from when, until when and why; `candidates` are those among whom one may choose."""

    worker = forms.CharField(error_messages={"required": "请选择由谁探访。"})
    since = day_field("开始日期")
    until = day_field("结束日期")
    reason = forms.CharField(
        required=False,
        max_length=100,
        error_messages={"max_length": "原因太长，请不要超过 100 个字。"},
    )
    seen = forms.CharField(required=False)

    def __init__(self, *args: Any, candidates: dict[str, User], **more: Any) -> None:
        super().__init__(*args, **more)
        self.candidates = candidates
        self.fields["until"].required = False

    def clean_worker(self) -> User | None:
        """One of the candidates, or nobody by name."""
        key = self.cleaned_data["worker"]
        if key == NOBODY:
            return None
        if key not in self.candidates:
            raise forms.ValidationError("请从名单里选择由谁探访；名单可能已有变化，请刷新后重选。")
        return self.candidates[key]

    def clean_seen(self) -> datetime | None:
        """When the page was shown; nonsense means now."""
        try:
            moment = datetime.fromisoformat(self.cleaned_data["seen"])
        except ValueError:
            return timezone.now()
        return moment if timezone.is_aware(moment) else timezone.now()
