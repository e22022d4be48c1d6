"""The fictional county and its neighbour: codes in the ranges of GB/T 10114, names invented.

Townships: 001–099 街道, 100–199 镇, 200–399 乡. Villages: 001–199 居委会, 200–399 村委会.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Final

from organization.areas import county_code, parent_code, township_code
from portal.demo.chance import chance

COUNTY: Final = "990101000000"
COUNTY_NAME: Final = "青禾县"
ABOVE: Final = (("990000000000", "演示省"), ("990100000000", "演示市"))
# Some people live in the county while their 户籍 is here, and the other way round.
NEIGHBOUR: Final = (("990102000000", "苇塘县"), ("990102100000", "苇塘镇"), ("990102100200", "苇岸村"))
NEIGHBOUR_VILLAGE: Final = NEIGHBOUR[-1][0]

STEMS: Final = (
    "禾兴", "朝禾", "柳溪", "枫渡", "石鼓", "云坪", "白鹭", "双溪", "龙潭", "长岭", "月湖", "松坡",
    "桃坞", "清泉", "大湾", "金坪", "望峰", "竹园", "沙洲", "红枫", "银杏", "稻香", "凤鸣", "青崖",
    "梅岗", "落星", "麦田", "杨渡", "野棠", "归雁",
)  # fmt: skip
OPENINGS: Final = "东西南北上下大小前后新老"
SUBJECTS: Final = "柳槐枣石沙龙马牛杨李王张陈赵桑竹泉塘"
ENDINGS: Final = "庄沟湾坪岭屯桥寨堡营坝塬"
QUARTERS: Final = (
    "新民", "和平", "春晖", "文昌", "书院", "河滨", "东关", "西关", "南门", "北苑", "永安", "向阳",
    "百合", "翠微", "锦绣", "城中", "桂花", "学府", "长青", "幸福",
)  # fmt: skip
# Names that several townships have: a roster that gives only the village's name is ambiguous there.
SHARED: Final = ("新民村", "红星村", "前进村")
MANY: Final = 5


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area as an area file lists it."""

    code: str
    name: str

    @property
    def parent(self) -> str | None:
        """Code of the area above."""
        return parent_code(self.code)


def county_areas(
    seed: int, *, county: str = COUNTY, name: str = COUNTY_NAME, townships: int = 15, villages: int = 150
) -> list[AreaRow]:
    """Return the county with the areas above it, its townships and villages, and the neighbour; parents first."""
    random = chance(seed, "areas")
    names = _village_names(random)
    rows = [AreaRow(*pair) for pair in ABOVE] if county == COUNTY else []
    rows.append(AreaRow(county, name))
    sizes = _sizes(random, townships, villages)
    for (code, township), size in zip(_townships(county, townships), sizes, strict=True):
        rows.append(AreaRow(code, township))
        rows += _villages(code, size, random, names)
    return rows + [AreaRow(*pair) for pair in NEIGHBOUR]


def village_codes(rows: list[AreaRow], county: str) -> list[str]:
    """Return the codes of the county's villages and communities."""
    return [
        row.code for row in rows if row.code != township_code(row.code) and county_code(row.code) == county
    ]


def _townships(county: str, count: int) -> Iterator[tuple[str, str]]:
    """Two in fifteen are 街道, nine 镇, the rest 乡."""
    streets, towns = max(1, count * 2 // 15), count * 9 // 15
    for position in range(count):
        stem = STEMS[position % len(STEMS)] + "新" * (position // len(STEMS))
        if position < streets:
            number, kind = 1 + position, "街道"
        elif position < streets + towns:
            number, kind = 100 + position - streets, "镇"
        else:
            number, kind = 200 + position - streets - towns, "乡"
        yield f"{county[:6]}{number:03d}000", stem + kind


def _sizes(random: Random, townships: int, villages: int) -> list[int]:
    """Villages per township, uneven, adding up."""
    sizes = [villages // townships + (position < villages % townships) for position in range(townships)]
    for _ in range(townships):
        giver, taker = random.randrange(townships), random.randrange(townships)
        if sizes[giver] > MANY:
            sizes[giver] -= 1
            sizes[taker] += 1
    return sizes


def _villages(township: str, count: int, random: Random, names: Iterator[str]) -> list[AreaRow]:
    """A 街道 has communities, a 镇 a few of them before its villages, a 乡 villages alone."""
    number = int(township[6:9])
    communities = count if number < 100 else min(count, random.randint(1, 2)) if number < 200 else 0
    quarters = random.sample(QUARTERS, min(communities, len(QUARTERS)))
    rows = []
    for position in range(communities):
        quarter = quarters[position % len(quarters)] + "一二三四五六七八九"[position // len(quarters)] * (
            position >= len(quarters)
        )
        rows.append(AreaRow(f"{township[:9]}{position + 1:03d}", f"{quarter}社区"))
    shared = [random.choice(SHARED)] if count - communities > MANY else []
    for position in range(count - communities):
        village = shared[position] if position < len(shared) else next(names)
        rows.append(AreaRow(f"{township[:9]}{position + 200:03d}", village))
    return rows


def _village_names(random: Random) -> Iterator[str]:
    """Names like 上柳沟村, each once."""
    parts = list(product(OPENINGS, SUBJECTS, ENDINGS))
    random.shuffle(parts)
    return iter([f"{opening}{subject}{ending}村" for opening, subject, ending in parts])
