"""A small made-up list to change at will."""

import copy
from typing import Any

import yaml

from catalog.pack import Pack, check_pack, read_pack
from catalog.pack.checking import Surroundings

COUNTY = "990201000000"
LIST: dict[str, Any] = yaml.safe_load(
    """
document: {code: test-2024, title: 测试县基本养老服务清单, number: 测办发〔2024〕1号, issued: 2024-01-01,
  area: "990201000000"}
parameters: [{name: 高龄, values: [{from: 2024-01-01, value: 80}]}]
rates: [{name: 低保标准, values: [{from: 2024-01-01, amount: 700.00}]}]
conditions: [{name: 经济困难, from: 2024-01-01, rule: 低保 或 低保边缘}]
bureaus: [{code: mzj, name: 县民政局, aliases: [县民政]}, {code: czj, name: 县财政局}]
items:
- {code: A1, number: 1, name: 高龄津贴, type: 物质帮助, form: 现金, subject: 个人, lead: 县民政,
   with: [县财政局], clause: 清单第1项, summary: 满80岁每月领钱。, from: 2024-01-01, to: null, rule: 年龄 >= 高龄,
   amount: 50, minimum: true, application: 免申即享, start: 次月, lookback: 24, track: 逐人}
- {code: A2, number: 2, name: 困难补贴, type: 物质帮助, form: 现金, subject: 个人, lead: 县民政局,
   clause: 清单第2项, summary: 困难老人每月领钱。, from: 2024-01-01, rule: 经济困难,
   amount: [{if: 残疾等级 = 1, pay: 0.5 * 低保标准}, {pay: 60}],
   application: 申请, start: 当月, track: 逐人}
exclusions: [{code: both, strategy: 择高, items: [A1, A2], from: 2024-01-01}]
visit_tiers: [{code: month, name: 每月探访, rule: 独居, times: 1, per: 月, modes: [上门, 电话], order: 1}]
targets: [{code: T1, name: 月探访率, comparator: ">=", value: 100, unit: "%", due: 2025-12-31}]
"""
)


def changed(*changes: tuple[str, Any]) -> dict[str, Any]:
    """The small list with values put at paths such as items.0.rule; None as a value takes the key out."""
    values = copy.deepcopy(LIST)
    for path, value in changes:
        *way, last = path.split(".")
        place: Any = values
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        if value is None:
            del place[last]
        else:
            place[int(last) if last.isdigit() else last] = value
    return values


def pack_text(*changes: tuple[str, Any]) -> str:
    """The changed list as YAML."""
    return yaml.safe_dump(changed(*changes), allow_unicode=True, sort_keys=False)


def pack(*changes: tuple[str, Any]) -> Pack:
    """The changed list, read."""
    return read_pack(pack_text(*changes))


def faults(*changes: tuple[str, Any], around: Surroundings | None = None) -> tuple[str, ...]:
    """What is wrong with the changed list."""
    return check_pack(pack(*changes), around or Surroundings())
