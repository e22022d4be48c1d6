"""Invented names of elders: common characters of their generation, a few rare ones and compound surnames."""

from functools import cache
from random import Random
from typing import Final

from eldercare.choices import Sex
from portal.demo.chance import Weighted

SURNAMES: Final = Weighted(
    {
        "王": 7.2, "李": 7.2, "张": 6.8, "刘": 5.2, "陈": 4.5, "杨": 3.2, "赵": 2.3, "黄": 2.2, "周": 2.1, "吴": 2.0,
        "徐": 1.7, "孙": 1.6, "朱": 1.5, "马": 1.5, "胡": 1.4, "郭": 1.3, "林": 1.2, "何": 1.2, "高": 1.1, "梁": 1.0,
        "罗": 1.0, "宋": 0.9, "郑": 0.9, "谢": 0.8, "韩": 0.8, "唐": 0.8, "冯": 0.7, "于": 0.7, "董": 0.7, "萧": 0.3,
        "程": 0.6, "曹": 0.6, "袁": 0.6, "邓": 0.6, "许": 0.6, "傅": 0.5, "沈": 0.5, "曾": 0.5, "彭": 0.5, "吕": 0.5,
        "苏": 0.5, "卢": 0.5, "蒋": 0.5, "蔡": 0.5, "贾": 0.4, "丁": 0.4, "魏": 0.4, "薛": 0.4, "叶": 0.4, "阎": 0.3,
        "单": 0.1, "仇": 0.1, "解": 0.1, "查": 0.1, "翟": 0.1, "覃": 0.1, "缪": 0.05,
        "欧阳": 0.12, "司马": 0.05, "上官": 0.05, "诸葛": 0.04, "皇甫": 0.03,
    }
)  # fmt: skip
MEN: Final = "国建军德福贵文明志强华林生有富春荣光忠义成才永长万发金银宝根树海江山正学友良庆祥顺昌兴元启先"
WOMEN: Final = "秀英兰芳桂玉珍凤梅琴翠莲霞素淑巧菊香云花彩娥爱珠银萍美惠月慧娟敏红艳枝仙蓉"
RARE: Final = "䶮㐂𠮷堃喆垚"
SHARE_SHORT: Final = 0.28
SHARE_RARE: Final = 0.004


def person_name(random: Random, sex: Sex) -> str:
    """Return a surname with a given name of one or two characters."""
    return SURNAMES.draw(random) + given_name(random, sex)


def given_name(random: Random, sex: Sex) -> str:
    """Return a given name."""
    pool = _pool(sex)
    last = random.choice(RARE) if random.random() < SHARE_RARE else pool[int(random.random() * len(pool))]
    return last if random.random() < SHARE_SHORT else pool[int(random.random() * len(pool))] + last


@cache
def _pool(sex: Sex) -> str:
    return MEN if sex is Sex.MALE else WOMEN
