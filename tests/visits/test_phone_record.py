"""What a phone sends, read without a database: shapes, words, limits, places and the phone's clock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visits.phone_record import (
    FINDING_NOTE,
    FINDINGS,
    NOTE,
    RECORDS,
    RecordFault,
    clock_was_off,
    digest_of,
    event_time,
    read_record,
    read_sync,
)

NUMBER = "6f1c1a52-6f0e-4b57-9c3b-0f8f5b1f7a11"
OTHER = "6f1c1a52-6f0e-4b57-9c3b-0f8f5b1f7a12"
NOW = datetime(2026, 3, 20, 4, 0, tzinfo=UTC)  # noon in Shanghai


def written(**more: object) -> dict[str, Any]:
    """A record as a phone writes it."""
    return {
        "id": NUMBER,
        "elder": "1-2:signature",
        "at": "2026-03-20T03:00:00.000Z",
        "mode": "上门",
        "result": "见到本人",
    } | more


def why_not(**more: object) -> str:
    """Why the record cannot be taken; '' if it can."""
    try:
        read_record(written(**more))
    except RecordFault as fault:
        return str(fault)
    return ""


def test_what_may_be_left_out_is_empty() -> None:
    record = read_record(written())
    assert (record.note, record.event_day, record.risk, record.findings) == ("", None, "", ())
    assert (record.latitude, record.longitude, record.accuracy, record.corrects) == (None, None, None, None)


def test_a_text_is_cleaned_and_kept_as_typed() -> None:
    assert read_record(written(note=" 腿脚\u200b不便 \n 需要\0拐杖 𠮷 ")).note == "腿脚不便 需要拐杖 𠮷"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"id": "x"}, "记录编号：不是记录编号"),
        ({"id": None}, "记录编号：不是记录编号"),
        ({"id": 7}, "记录编号：不是记录编号"),
        ({"elder": 7}, "老年人：应为文字"),
        ({"at": "昨天"}, "探访时间：不是时间"),
        ({"at": None}, "探访时间：不是时间"),
        ({"at": "2026-03-20T11:00:00"}, "探访时间：缺少时区"),
        ({"at": "1999-12-31T23:59:59Z"}, "探访时间：年份不对（1999 年）；请核对手机日期"),
        ({"mode": "托梦"}, "探访方式：请选择 上门、电话、视频、智能设备 之一"),
        ({"result": ""}, "探访结果：请选择 见到本人、"),
        ({"result": ["见到本人"]}, "探访结果：请选择 见到本人、"),
        ({"mode": "电话"}, "探访结果：电话不能“见到本人”；请改为“联系到本人”"),
        ({"mode": "智能设备"}, "探访结果：智能设备不能“见到本人”"),
        ({"result": "联系到本人"}, "上门当面见到的请选“见到本人”；是电话联系上的，请把方式改为“电话”"),
        ({"risk": "黑"}, "风险：请选择 黄、红 之一"),
        ({"note": "\ud800"}, "备注：含有无法识别的字符"),
        ({"note": "字" * (NOTE + 1)}, f"备注：超过 {NOTE} 个字（现有 {NOTE + 1} 个）；请缩短"),
        ({"findings": "f"}, f"探访发现：最多 {FINDINGS} 项"),
        ({"findings": [1]}, "探访发现：格式不对"),
        ({"findings": [{"code": str(n)} for n in range(FINDINGS + 1)]}, f"探访发现：最多 {FINDINGS} 项"),
        ({"findings": [{"code": "a"}, {"code": "a"}]}, "探访发现：同一项选了两次"),
        (
            {"findings": [{"code": "a", "note": "字" * (FINDING_NOTE + 1)}]},
            f"发现说明：超过 {FINDING_NOTE} 个字",
        ),
        ({"corrects": "x"}, "更正：不是记录编号"),
        ({"corrects": NUMBER}, "更正：不能更正自身"),
        ({"event_day": "2026-03-19"}, "只有结果为“已故”“已迁出”时填写"),
        ({"result": "已故", "event_day": "三月"}, "去世或迁出日期：不是日期"),
        ({"result": "已故", "event_day": "1999-12-31"}, "去世或迁出日期：早于 2000 年"),
        ({"result": "已故", "event_day": "2026-03-21"}, "去世或迁出日期：晚于探访当天"),
    ],
)
def test_what_cannot_be_taken_is_named_with_the_way_out(more: dict[str, object], said: str) -> None:
    reason = why_not(**more)
    assert said in reason
    assert "请" in reason


@pytest.mark.parametrize(
    "more",
    [
        {"note": "字" * NOTE},
        {"findings": [{"code": str(n), "note": "字" * FINDING_NOTE} for n in range(FINDINGS)]},
        {"mode": "视频"},
        {"mode": "电话", "result": "联系到本人"},
        {"mode": "视频", "result": "联系到本人"},
        {"mode": "智能设备", "result": "联系到本人"},
        {"result": "已故", "event_day": "2026-03-20"},
        {"result": "已迁出", "event_day": "2000-01-01"},
        {"result": "已故"},
        {"mode": "电话", "result": "已故"},
        {"corrects": OTHER},
        {"at": "2026-03-20T11:00:00+08:00"},
    ],
)
def test_what_is_just_within_the_limits_is_taken(more: dict[str, object]) -> None:
    assert why_not(**more) == ""


@pytest.mark.parametrize("item", [None, [], "text", 1])
def test_a_record_that_is_no_object_is_named(item: object) -> None:
    with pytest.raises(RecordFault, match="记录：格式不对；请更新手机程序"):
        read_record(item)


def test_a_place_is_kept_to_six_decimals() -> None:
    record = read_record(written(latitude=25.03123456, longitude=-103.6, accuracy=0))
    assert (record.latitude, record.longitude) == (Decimal("25.031235"), Decimal("-103.600000"))
    assert record.accuracy == 0


@pytest.mark.parametrize(
    "place",
    [
        {"latitude": 91, "longitude": 103},
        {"latitude": 25, "longitude": 180.1},
        {"latitude": 25},
        {"latitude": "25", "longitude": "103"},
        {"latitude": True, "longitude": True},
        {"latitude": float("nan"), "longitude": 103},
        {"latitude": 10**400, "longitude": 103},
        {"latitude": 1e308, "longitude": 103},
    ],
)
def test_what_is_no_place_never_stops_a_record(place: dict[str, object]) -> None:
    record = read_record(written(**place))
    assert (record.latitude, record.longitude, record.accuracy) == (None, None, None)


def test_an_accuracy_below_nothing_is_left_out() -> None:
    assert read_record(written(latitude=25, longitude=103, accuracy=-1)).accuracy is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
    )
)
def test_whatever_a_field_holds_it_is_read_or_refused_by_name(value: object) -> None:
    for field in (*written(), "note", "event_day", "risk", "findings", "latitude", "accuracy", "corrects"):
        why_not(**{field: value})


def test_the_same_record_has_the_same_digest_whatever_its_reference_looks_like() -> None:
    one = read_record(written())
    again = read_record(written(elder="1-2:other", at="2026-03-20T11:00:00+08:00"))
    assert digest_of(one, 1) == digest_of(again, 1)


@pytest.mark.parametrize(
    "more",
    [
        {"at": "2026-03-20T03:00:01Z"},
        {"result": "外出"},
        {"note": "甲"},
        {"risk": "黄"},
        {"findings": [{"code": "a"}]},
        {"findings": [{"code": "a", "note": "乙"}]},
        {"latitude": 25, "longitude": 103},
        {"corrects": OTHER},
    ],
)
def test_another_content_has_another_digest(more: dict[str, object]) -> None:
    others = {digest_of(read_record(written(**more)), 1), digest_of(read_record(written()), 2)}
    assert digest_of(read_record(written()), 1) not in others


@pytest.mark.parametrize(
    ("ahead", "device", "at", "is_off"),
    [
        # within ten minutes the phone is believed, to the second
        (timedelta(), timedelta(hours=-1), timedelta(hours=-1), False),
        (timedelta(minutes=10), timedelta(hours=-1), timedelta(hours=-1), False),
        (timedelta(minutes=-10), timedelta(hours=-1), timedelta(hours=-1), False),
        # beyond, its times are moved by what it is off
        (
            timedelta(minutes=10, seconds=1),
            timedelta(hours=-1),
            timedelta(hours=-1, minutes=-10, seconds=-1),
            True,
        ),
        (timedelta(days=3), timedelta(days=3, hours=-1), timedelta(hours=-1), True),
        (timedelta(days=-3), timedelta(days=-3, hours=-1), timedelta(hours=-1), True),
        # nothing takes place later than now
        (timedelta(minutes=5), timedelta(minutes=4), timedelta(), False),
        (timedelta(), timedelta(minutes=10), timedelta(), False),
        (timedelta(), timedelta(minutes=10, seconds=1), timedelta(), True),
        (timedelta(), timedelta(days=3), timedelta(), True),  # the clock was put right in between
        (timedelta(days=3), timedelta(days=4), timedelta(), True),
    ],
)
def test_a_visit_takes_place_by_the_servers_clock(
    ahead: timedelta, device: timedelta, at: timedelta, is_off: bool
) -> None:
    found, offset = event_time(NOW + device, -ahead, NOW)
    assert found == NOW + at
    assert clock_was_off(offset) == is_off


@given(
    st.timedeltas(min_value=timedelta(days=-3), max_value=timedelta(days=3)),
    st.timedeltas(min_value=timedelta(days=-3), max_value=timedelta(days=3)),
)
def test_no_visit_takes_place_in_the_future(ahead: timedelta, device: timedelta) -> None:
    found, _ = event_time(NOW + device, -ahead, NOW)
    assert found <= NOW


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "上传内容：格式不对"),
        ({"sent_at": "x"}, "手机时间：不是时间"),
        ({"sent_at": NOW.isoformat(), "records": {}}, "records：应为记录的列表"),
        ({"sent_at": NOW.isoformat(), "records": [1] * (RECORDS + 1)}, f"一次最多上传 {RECORDS} 条记录"),
        ({"sent_at": NOW.isoformat(), "records": [], "waiting": -1}, "waiting：应为待上传的条数"),
        ({"sent_at": NOW.isoformat(), "records": [], "waiting": True}, "waiting：应为待上传的条数"),
        ({"sent_at": NOW.isoformat(), "records": [], "last": "x"}, "last：不是记录编号"),
    ],
)
def test_an_envelope_that_cannot_be_read_is_refused_whole(body: object, said: str) -> None:
    with pytest.raises(RecordFault, match=said):
        read_sync(body)


def test_an_envelope_says_when_how_many_wait_and_the_newest_known() -> None:
    request = read_sync({"sent_at": NOW.isoformat(), "last": NUMBER, "waiting": 3, "records": [1] * RECORDS})
    assert (request.sent_at, request.last, request.waiting) == (NOW, UUID(NUMBER), 3)
