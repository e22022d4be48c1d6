"""The workbench: what is addressed to me, how my month stands."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from operations.services.todo import todo_raise
from organization.choices import Role
from organization.models import Area, User
from subsidies.models import Month
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, make_user
from tests.portal.conftest import SignIn

HOME = "/"


def raise_todo(key: str, role: Role, area: str, days: int = 3) -> None:
    """Open a to-do due in some days."""
    due = timezone.localdate() + timedelta(days=days)
    todo_raise(key=key, role=role, area=Area.objects.get(code=area), title=f"办理{key}", due=due)


def test_only_what_is_addressed_to_my_role_in_my_area_is_mine(sign_in: SignIn, clerk_a: User) -> None:
    raise_todo("mine", Role.TOWNSHIP_CLERK, TOWN_A)
    raise_todo("other-town", Role.TOWNSHIP_CLERK, TOWN_B)
    raise_todo("other-role", Role.TOWNSHIP_LEAD, TOWN_A)
    raise_todo("county", Role.TOWNSHIP_CLERK, COUNTY)
    context = sign_in(clerk_a).get(HOME).context
    assert [todo.key for todo in context["todos"]] == ["mine"]
    assert context["shell"].todo_count == 1


@pytest.mark.parametrize(
    ("area", "shown"), [(COUNTY, "测试县"), (TOWN_A, "测试县 · 甲镇"), (VILLAGE_A, "甲镇 甲一村")]
)
def test_the_bar_names_my_area(sign_in: SignIn, county: Area, area: str, shown: str) -> None:
    user = make_user("someone", Role.TOWNSHIP_CLERK, area)
    assert f'<div class="bar-place">{shown}<' in sign_in(user).get(HOME).content.decode()


def test_an_overdue_to_do_is_marked_in_words(sign_in: SignIn, clerk_a: User) -> None:
    raise_todo("late", Role.TOWNSHIP_CLERK, TOWN_A, days=-1)
    assert "已逾期" in sign_in(clerk_a).get(HOME).content.decode()


def test_the_figures_carry_definition_and_time(sign_in: SignIn, bureau_clerk: User, month: Month) -> None:
    response = sign_in(bureau_clerk).get(HOME)
    text = response.content.decode()
    assert response.context["newest"].summary.amount == Decimal("100.00")
    assert "一人多项只计一次" in text
    assert "核定时点" in text


def test_the_figures_follow_a_new_revision(sign_in: SignIn, bureau_clerk: User, month: Month) -> None:
    client = sign_in(bureau_clerk)
    client.get(HOME)
    Month.objects.filter(pk=month.pk).update(revision=0)
    assert client.get(HOME).context["newest"] is None


def test_without_a_decided_month_it_says_what_would_be_here(sign_in: SignIn, bureau_clerk: User) -> None:
    assert "还没有核定过的月份" in sign_in(bureau_clerk).get(HOME).content.decode()
