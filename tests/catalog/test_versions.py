"""Which versions are added, ended, kept or refused."""

from datetime import date

import pytest

from catalog.versions import Version, plan_versions

Y23, Y24, Y25, Y26 = (date(year, 1, 1) for year in (2023, 2024, 2025, 2026))


def published(*rows: tuple[date, date | None, str]) -> list[Version]:
    """Stored versions with rows 1, 2, …"""
    return [Version(*row, row=number) for number, row in enumerate(rows, start=1)]


def wanted(*rows: tuple[date, date | None, str]) -> list[Version]:
    """Versions of a pack."""
    return [Version(*row) for row in rows]


def test_the_first_version_is_created() -> None:
    assert plan_versions([], wanted((Y24, None, "a"))).create == [(0, None)]


def test_the_same_version_is_kept() -> None:
    plan = plan_versions(published((Y24, None, "a")), wanted((Y24, None, "a")))
    assert (plan.create, plan.ends, plan.unchanged, plan.refused) == ([], {}, 1, [])


def test_a_later_version_ends_the_one_before_on_its_first_day() -> None:
    plan = plan_versions(published((Y24, None, "a")), wanted((Y25, None, "b")))
    assert (plan.create, plan.ends) == ([(0, None)], {1: Y25})


def test_a_later_version_cuts_an_announced_end_short() -> None:
    assert plan_versions(published((Y24, Y26, "a")), wanted((Y25, None, "b"))).ends == {1: Y25}


def test_a_version_after_a_repeal_leaves_the_gap() -> None:
    plan = plan_versions(published((Y23, Y24, "a")), wanted((Y25, None, "a")))
    assert (plan.create, plan.ends) == ([(0, None)], {})


def test_several_versions_of_one_pack_follow_each_other() -> None:
    plan = plan_versions([], wanted((Y25, None, "b"), (Y24, None, "a")))
    assert plan.create == [(1, Y25), (0, None)]


def test_an_open_version_may_get_its_end() -> None:
    plan = plan_versions(published((Y24, None, "a")), wanted((Y24, Y25, "a")))
    assert (plan.ends, plan.unchanged) == ({1: Y25}, 0)


def test_an_older_pack_changes_nothing_under_its_successor() -> None:
    stored = published((Y23, Y24, "a"), (Y24, None, "b"))
    plan = plan_versions(stored, wanted((Y23, None, "a")))
    assert (plan.unchanged, plan.ends, plan.refused) == (1, {}, [])


def test_an_end_later_than_the_successor_changes_nothing() -> None:
    stored = published((Y23, Y24, "a"), (Y24, None, "b"))
    assert plan_versions(stored, wanted((Y23, Y25, "a"))).unchanged == 1


@pytest.mark.parametrize(
    ("stored", "asked", "said"),
    [
        ([(Y24, None, "a")], (Y24, None, "b"), "2024-01-01 起的内容已发布"),
        ([(Y24, None, "a")], (Y23, None, "b"), "2024-01-01 起的版本已发布，不能再加 2023-01-01 起的"),
        ([(Y23, Y24, "a"), (Y25, None, "b")], (Y24, None, "c"), "2025-01-01 起的版本已发布"),
        ([(Y24, Y25, "a")], (Y24, None, "a"), "2024-01-01 起的版本已公布有效到 2024-12-31"),
        ([(Y24, Y25, "a")], (Y24, Y26, "a"), "2024-01-01 起的版本已公布有效到 2024-12-31"),
        ([(Y23, Y25, "a"), (Y25, None, "b")], (Y23, Y24, "a"), "2023-01-01 起的版本已公布有效到 2024-12-31"),
    ],
)
def test_a_published_day_is_never_rewritten(
    stored: list[tuple[date, date | None, str]], asked: tuple[date, date | None, str], said: str
) -> None:
    plan = plan_versions(published(*stored), wanted(asked))
    assert (plan.create, plan.ends, len(plan.refused)) == ([], {}, 1)
    assert plan.refused[0].startswith("会改写已发布的版本") and said in plan.refused[0]
