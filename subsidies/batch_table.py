"""The way of a batch in one table: state × action → the state after it, and who may (design §2, Money)."""

from dataclasses import dataclass
from typing import Final

from organization.choices import Permission
from subsidies.choices import BatchAction, BatchState


@dataclass(frozen=True)
class Transition:
    """One permitted step.

    permission: None where only the system steps on. apart_from: steps whose takers must not take this one; 生成 stands
    for the maker. by_maker: nobody but the maker. in_part: a part of the county is area enough. skips_to: the state
    after it where the usual one has nothing to wait for.
    """

    target: BatchState
    permission: Permission | None
    apart_from: tuple[BatchAction, ...] = ()
    by_maker: bool = False
    in_part: bool = False
    skips_to: BatchState | None = None


_MAKER: Final = (BatchAction.BUILD,)

TRANSITIONS: Final[dict[tuple[BatchState, BatchAction], Transition]] = {
    (BatchState.DRAFT, BatchAction.SUBMIT): Transition(
        BatchState.TOWNSHIP, Permission.BATCH_MAKE, by_maker=True
    ),
    (BatchState.DRAFT, BatchAction.DISCARD): Transition(
        BatchState.VOID, Permission.BATCH_MAKE, by_maker=True
    ),
    (BatchState.TOWNSHIP, BatchAction.CHECK): Transition(
        BatchState.TOWNSHIP, Permission.BATCH_CHECK, apart_from=_MAKER, in_part=True
    ),
    (BatchState.TOWNSHIP, BatchAction.CHECKED): Transition(BatchState.APPROVAL, None),
    (BatchState.TOWNSHIP, BatchAction.REJECT): Transition(
        BatchState.VOID, Permission.BATCH_CHECK, apart_from=_MAKER, in_part=True
    ),
    (BatchState.APPROVAL, BatchAction.APPROVE): Transition(
        BatchState.NOTICE,
        Permission.BATCH_APPROVE,
        apart_from=(BatchAction.BUILD, BatchAction.CHECK),
        skips_to=BatchState.FINANCE,
    ),
    (BatchState.APPROVAL, BatchAction.REJECT): Transition(
        BatchState.VOID, Permission.BATCH_APPROVE, apart_from=_MAKER
    ),
    (BatchState.NOTICE, BatchAction.NOTICE_END): Transition(BatchState.FINANCE, None),
    (BatchState.NOTICE, BatchAction.REJECT): Transition(
        BatchState.VOID, Permission.BATCH_APPROVE, apart_from=_MAKER
    ),
    (BatchState.FINANCE, BatchAction.CONFIRM): Transition(
        BatchState.CONFIRMED,
        Permission.BATCH_CONFIRM,
        apart_from=(BatchAction.BUILD, BatchAction.APPROVE),
    ),
    (BatchState.FINANCE, BatchAction.REJECT): Transition(
        BatchState.VOID, Permission.BATCH_CONFIRM, apart_from=_MAKER
    ),
    (BatchState.CONFIRMED, BatchAction.FILE): Transition(
        BatchState.CONFIRMED, Permission.BANK_FILE, apart_from=_MAKER
    ),
    (BatchState.CONFIRMED, BatchAction.SEND): Transition(
        BatchState.SENT, Permission.BANK_FILE, apart_from=_MAKER
    ),
    (BatchState.SENT, BatchAction.RETURN): Transition(
        BatchState.RETURNED, Permission.BANK_FILE, apart_from=_MAKER
    ),
    (BatchState.RETURNED, BatchAction.RETURN): Transition(
        BatchState.RETURNED, Permission.BANK_FILE, apart_from=_MAKER
    ),
    # what was kept back whole never comes back from the bank
    (BatchState.SENT, BatchAction.CLOSE): Transition(
        BatchState.CLOSED, Permission.BATCH_CONFIRM, apart_from=_MAKER
    ),
    (BatchState.RETURNED, BatchAction.CLOSE): Transition(
        BatchState.CLOSED, Permission.BATCH_CONFIRM, apart_from=_MAKER
    ),
    # the bank may send money back after weeks (退票); the batch is then open until it is closed again
    (BatchState.CLOSED, BatchAction.RETURN): Transition(
        BatchState.RETURNED, Permission.BANK_FILE, apart_from=_MAKER
    ),
}

#: States before 财政确认 has been given: lines may still be held back or come back.
UNCONFIRMED: Final = (
    BatchState.DRAFT,
    BatchState.TOWNSHIP,
    BatchState.APPROVAL,
    BatchState.NOTICE,
    BatchState.FINANCE,
)
#: Verb of a step in a sentence: «不能审批», «已由…审批».
VERBS: Final[dict[BatchAction, str]] = {
    BatchAction.BUILD: "制单",
    BatchAction.SUBMIT: "提交",
    BatchAction.CHECK: "核实",
    BatchAction.CHECKED: "完成核实",
    BatchAction.APPROVE: "审批",
    BatchAction.NOTICE_END: "结束公示",
    BatchAction.CONFIRM: "财政确认",
    BatchAction.FILE: "生成银行文件",
    BatchAction.SEND: "报送银行",
    BatchAction.RETURN: "导入回盘",
    BatchAction.CLOSE: "关闭",
    BatchAction.REJECT: "退回",
    BatchAction.DISCARD: "删除",
}
