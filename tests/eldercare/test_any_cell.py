"""Whatever stands in a cell, the answer is a value or a sentence."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldercare.reading.workbook import NO_VALUE
from eldercare.resources.roster import RosterResource
from eldercare.roster.cleaning import Fault, Memory
from eldercare.roster.staging import _copied
from organization.area_names import AreaNames, KnownArea

RESOURCE = RosterResource(areas=AreaNames([KnownArea("530322000000", "测试县")]), today=date(2026, 11, 21))
CELLS = st.one_of(
    st.text(max_size=40),
    st.text(
        alphabet="0123456789xX.-/年月日 \t\n\0'０１２eE+＝\u200b\u202e\U00020bb7\ufffd\ue000😀", max_size=25
    ),
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(min_value=-(10**30), max_value=10**30),
    st.booleans(),
    st.none(),
    st.just(NO_VALUE),
    st.tuples(st.integers(1, 9999), st.integers(1, 12), st.integers(1, 28)),
)


@pytest.mark.parametrize("name", list(RESOURCE.fields))
@settings(max_examples=60, deadline=None)
@given(cell=CELLS)
def test_a_cell_is_read_or_refused_with_a_chinese_sentence(name: str, cell: Any) -> None:
    memory = Memory(RESOURCE.fields[name].widget)
    value = memory[cell]
    if isinstance(value, Fault):
        assert any("\u4e00" <= character <= "\u9fff" for character in value.message)
    elif isinstance(value, str):
        assert not any(mark in value for mark in "\t\n\r\0")
        assert "\n" not in _copied((value,))
    else:
        assert value is None or isinstance(value, date | bool | frozenset | tuple)
        assert not isinstance(value, datetime)
