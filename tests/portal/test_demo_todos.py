"""The to-dos of the demonstration: each link opens a page that shows the number in its title."""

import re
from datetime import date
from typing import Any

from eldercare.models import Elder
from operations.models import Todo
from organization.choices import Role
from organization.models import Area
from portal.demo.todos import todos_raise
from subsidies.models import Month
from tests.conftest import TOWN_A, VILLAGE_A, make_user
from tests.portal.conftest import MARCH, SignIn
from tests.portal.visits import owe

NUMBER = re.compile(r"(\d+) (?:位|人次|笔)")


def test_every_to_do_opens_a_page_with_its_number(
    sign_in: SignIn, county: Area, elder_a: Elder, month: Month
) -> None:
    owe(elder_a, MARCH)
    township, village = Area.objects.get(code=TOWN_A), Area.objects.get(code=VILLAGE_A)
    places = {"county": county, "township": township, "village": village}
    assert todos_raise(month=month, today=date(2026, 3, 10), **places) == 3
    for number, todo in enumerate(Todo.objects.all()):
        user = make_user(f"user{number}", Role(todo.role), todo.area_id)
        response = sign_in(user).get(todo.link)
        assert response.status_code == 200, todo.title
        if found := NUMBER.search(todo.title):
            assert shown_total(response.context) == int(found[1]), todo.title


def shown_total(context: Any) -> int:
    """The total that a list page shows."""
    if "sums" in context:
        return int(context["sums"].lines)
    if "whole" in context:
        return int(context["whole"].open)
    page = context["page"]
    return int(page.paginator.count if hasattr(page, "paginator") else page.total)
