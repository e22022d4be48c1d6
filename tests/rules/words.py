"""The small vocabulary of these tests: at least one fact of every type, two of the common ones."""

from rules import Fact, FactType, Vocabulary

FACTS = [
    Fact("户籍在本县", FactType.BOOLEAN),
    Fact("低保", FactType.BOOLEAN),
    Fact("独居", FactType.BOOLEAN),
    Fact("年龄", FactType.NUMBER),
    Fact("能力等级", FactType.NUMBER),
    Fact("特困供养", FactType.TEXT, ("无", "分散", "集中")),
    Fact("优抚类别", FactType.TEXT),
    Fact("出生日期", FactType.DATE),
]
VOCABULARY = Vocabulary(
    {fact.name: fact for fact in FACTS},
    parameters=frozenset({"失能等级下限", "低保标准"}),
    conditions=frozenset({"经济困难", "失能"}),
)
