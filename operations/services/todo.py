"""Raising and closing to-dos."""

from datetime import date

from django.utils import timezone

from operations.models import Todo
from organization.choices import Role
from organization.models import Area, Bureau


def todo_raise(
    *,
    key: str,
    role: Role,
    area: Area,
    title: str,
    link: str = "",
    due: date | None = None,
    bureau: Bureau | None = None,
) -> Todo:
    """Open a to-do; the same key again refreshes the open one."""
    todo, _ = Todo.objects.update_or_create(
        key=key,
        done_at=None,
        defaults={"role": role, "area": area, "title": title, "link": link, "due": due, "bureau": bureau},
    )
    return todo


def todo_close(*, key: str) -> int:
    """Close the open to-do of this key; return how many were closed (0 or 1)."""
    return Todo.objects.filter(key=key, done_at=None).update(done_at=timezone.now())
