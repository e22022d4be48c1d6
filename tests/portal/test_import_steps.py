"""Where a batch stands, as its page says it: the steps, the pill, the ways on."""

import re

import pytest

from eldercare.models import ImportBatch
from eldercare.services.roster import roster_commit, roster_discard, roster_undo
from organization.models import User
from tests.portal.conftest import SignIn
from tests.portal.test_imports import checked, good_row, page, roster

STEP = re.compile(r'<li(?: class="(\w+)")?><span class="dot">(.)</span>([^<]+)</li>')


def steps(text: str) -> list[tuple[str, str, str]]:
    """(class, mark, words) of each step on the page."""
    return STEP.findall(text)


def test_a_file_that_cannot_be_read_ends_at_the_check(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    text = page(client, checked(client, b"hello"))
    assert steps(text)[1:] == [("stopped", "✗", "核对未通过"), ("", "3", "入库")]
    assert "已退回" in text


def test_a_checked_batch_stands_at_the_check(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    text = page(client, checked(client, roster(good_row())))
    assert steps(text)[1:] == [("now", "2", "核对"), ("", "3", "入库")]


@pytest.mark.parametrize("end", ["committed", "undone", "abandoned"])
def test_a_batch_that_is_over_says_how_it_ended(sign_in: SignIn, clerk_a: User, end: str) -> None:
    client = sign_in(clerk_a)
    batch = checked(client, roster(good_row()))
    last = {
        "committed": ("done", "✓", "入库"),
        "undone": ("stopped", "✗", "入库后已撤销"),
        "abandoned": ("stopped", "✗", "已放弃，未入库"),
    }
    if end == "abandoned":
        roster_discard(batch=batch)
    else:
        roster_commit(batch=batch, actor=clerk_a)
    if end == "undone":
        roster_undo(batch=ImportBatch.objects.get(pk=batch.pk), actor=clerk_a)
    text = page(client, batch)
    assert steps(text)[1:] == [("done", "✓", "核对"), last[end]]
    assert ("已退回" in text, "已放弃" in text) == (False, end == "abandoned")


def test_a_file_that_changes_nothing_is_not_offered_for_writing(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    first = checked(client, roster(good_row()))
    roster_commit(batch=first, actor=clerk_a)
    text = page(client, checked(client, roster(good_row())))
    assert "1 人的资料都与登记一致" in text
    assert "/commit/" not in text
    assert f'「名册.csv」入库（<a href="/imports/{first.pk}/">批次 {first.pk}</a>）' in text
    assert "放弃这一批" in text


def test_the_error_workbook_is_mentioned_only_where_there_is_one(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    batch = checked(client, roster(good_row(), good_row(2, "不存在的村")))
    hint = "完整清单见错误清单文件"
    assert hint in page(client, batch)
    ImportBatch.objects.filter(pk=batch.pk).update(errors_file=None)
    assert hint not in page(client, batch)
