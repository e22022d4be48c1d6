"""To-dos are raised once and closed once."""

import pytest

from operations.models import Todo
from operations.services.todo import todo_close, todo_raise
from organization.choices import Role
from organization.models import Area

pytestmark = pytest.mark.django_db


def raised(title: str = "核对名册") -> Todo:
    area, _ = Area.objects.get_or_create(code="990101000000", defaults={"name": "青禾县"})
    return todo_raise(key="名册 1", role=Role.BUREAU_CLERK, area=area, title=title)


def test_the_same_key_refreshes_the_open_one() -> None:
    assert raised().pk == raised("再核对名册").pk
    assert Todo.objects.get().title == "再核对名册"


def test_a_closed_one_can_be_raised_anew() -> None:
    first = raised()
    assert todo_close(key="名册 1") == 1
    assert raised().pk != first.pk


def test_closing_twice_changes_nothing() -> None:
    raised()
    assert (todo_close(key="名册 1"), todo_close(key="名册 1")) == (1, 0)
