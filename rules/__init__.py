"""The rule language: text a clerk can read → one tree → SQL, an explanation, canonical text.

Rules are three-valued as in SQL: an unknown fact makes a comparison unknown, and only TRUE is eligible.
"""

from rules.binding import bind
from rules.errors import RuleError
from rules.evaluation import Trace, amount, decide, evaluate
from rules.parsing import parse_amount, parse_rule
from rules.sql import to_sql
from rules.text import to_text
from rules.tree import Node, Value, conditions_used, facts_used, parameters_used
from rules.vocabulary import Fact, FactType, Vocabulary

__all__ = [
    "Fact",
    "FactType",
    "Node",
    "RuleError",
    "Trace",
    "Value",
    "Vocabulary",
    "amount",
    "bind",
    "conditions_used",
    "decide",
    "evaluate",
    "facts_used",
    "parameters_used",
    "parse_amount",
    "parse_rule",
    "to_sql",
    "to_text",
]
