"""Search keys of names: «张三» is found by zs and by zhangsan."""

import os
from functools import cache, lru_cache
from itertools import islice, product
from typing import Final

# Names need the readings of characters alone; the dictionary of phrases would take 40 MB of every process.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")

from pypinyin import Style, pinyin  # reads the setting above when it is imported

MAX_LENGTH: Final = 200
MAX_SPELLINGS: Final = 12

# Readings that a character has as a surname, before the common ones; both are indexed.
SURNAME_READINGS: Final = {
    "曾": "zeng", "单": "shan", "仇": "qiu", "解": "xie", "区": "ou", "查": "zha", "任": "ren", "朴": "piao",
    "缪": "miao", "宓": "mi", "盖": "ge", "尉": "yu", "乐": "yue", "种": "chong", "华": "hua", "折": "she",
    "员": "yun", "黑": "he", "秘": "bi", "冼": "xian", "召": "shao", "纪": "ji", "覃": "qin", "翟": "zhai",
    "繁": "po", "逄": "pang", "洗": "xian", "都": "du", "宁": "ning", "葛": "ge", "哈": "ha", "呙": "guo",
    "过": "guo", "佴": "nai", "尹": "yin", "臧": "zang", "晁": "chao", "隗": "wei", "么": "yao", "应": "ying",
    "重": "chong", "令": "ling", "那": "na", "牟": "mu", "车": "che", "万": "wan", "俞": "yu", "阚": "kan",
}  # fmt: skip


@lru_cache(20_000)
def search_key(name: str) -> str:
    """Return every reading's initials and full spelling, each after a space, at most 200 characters.

    >>> search_key("张三")
    ' zs zhangsan'
    """
    readings = [
        _readings(character, position == 0) for position, character in enumerate(name) if character.isalnum()
    ]
    spellings = list(islice(product(*readings), MAX_SPELLINGS)) if readings else []
    words = dict.fromkeys("".join(syllable[0] for syllable in spelling) for spelling in spellings)
    words.update(dict.fromkeys("".join(spelling) for spelling in spellings))
    key = ""
    for word in words:
        if len(key) + len(word) < MAX_LENGTH:
            key += f" {word}"
    return key


@cache
def _readings(character: str, as_surname: bool) -> tuple[str, ...]:
    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors=lambda text: text.lower())[0]
    readings = dict.fromkeys(reading.replace("ü", "v") for reading in found if reading)
    if as_surname and character in SURNAME_READINGS:
        readings = dict.fromkeys([SURNAME_READINGS[character], *readings])
    return tuple(readings)
