"""Password composition required by 等保三级 8.1.4.1.a."""

import re

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError

CLASSES = (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z0-9]")


class ThreeClassesValidator:
    """At least three of lower case, upper case, digits and signs."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Raise ValidationError if the password has fewer than three classes."""
        if sum(bool(re.search(pattern, password)) for pattern in CLASSES) < 3:
            raise ValidationError(
                "密码应至少包含小写字母、大写字母、数字、符号中的三类", code="password_too_simple"
            )

    def get_help_text(self) -> str:
        """Text for the password form."""
        return "密码应至少包含小写字母、大写字母、数字、符号中的三类。"
