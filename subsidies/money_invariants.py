"""What must always be true of money; each is one SQL statement that counts the offending rows (users.md §D2)."""

from typing import Final

from subsidies.balance import SETTLED_AMOUNT
from subsidies.batch_table import TRANSITIONS
from subsidies.choices import BatchAction

#: Lines p that are part of what their batch pays: not held, and not made void before they reached the bank.
_IN_BATCH: Final = "p.state <> '暂缓' AND (p.state <> '作废' OR p.reason <> '')"
_NET: Final = 'p.amount - p."offset"'
#: States of a batch that has been with the bank.
_SENT: Final = "('已报银行', '回盘', '关闭')"
_LIVE_REISSUE: Final = "(r.state <> '作废' OR r.reason <> '')"


def _apart() -> str:
    """Pairs of steps that one person must not take both, as the table of steps says."""
    pairs = {
        (action.value, other.value)
        for (_, action), transition in TRANSITIONS.items()
        for other in transition.apart_from
        if other != BatchAction.BUILD
    }
    return ", ".join(f"('{action}', '{other}')" for action, other in sorted(pairs))


def _not_by_maker() -> str:
    actions = {
        action.value
        for (_, action), transition in TRANSITIONS.items()
        if BatchAction.BUILD in transition.apart_from
    }
    return ", ".join(f"'{action}'" for action in sorted(actions))


def _balance(account: str) -> str:
    """SELECT batch_id, item_id, what the ledger credits to an account less what it debits."""
    return f"""
        SELECT batch_id, item_id, sum(credit - debit) AS booked FROM subsidies_ledgerentry
        WHERE account = '{account}' AND batch_id IS NOT NULL GROUP BY batch_id, item_id"""


def _ties(account: str, lines: str, states: str, amount: str = _NET) -> str:
    """Count batches and items whose account differs from Σ of some lines p of batches b in some states."""
    return f"""
        SELECT count(*) FROM ({_balance(account)}) l
        FULL JOIN (
            SELECT p.batch_id, p.item_id, sum({amount}) AS counted
            FROM subsidies_payment p JOIN subsidies_batch b ON b.id = p.batch_id
            WHERE b.state IN {states} AND {lines} GROUP BY p.batch_id, p.item_id
        ) s ON s.batch_id = l.batch_id AND s.item_id = l.item_id
        WHERE coalesce(l.booked, 0) <> coalesce(s.counted, 0)"""


MONEY: Final = {
    "台账每一事项、批次或追缴、项目借贷相等": """
        SELECT count(*) FROM (
            SELECT FROM subsidies_ledgerentry GROUP BY event, batch_id, recovery_id, item_id
            HAVING sum(debit) <> sum(credit)) uneven""",
    "台账的支出、拨款、收回都有资金来源，其他科目没有": """
        SELECT count(*) FROM subsidies_ledgerentry
        WHERE (account IN ('补贴支出', '财政拨款', '追缴收回')) <> (source <> '')""",
    # Facts may change after a payment, so what was paid may exceed what is entitled now: the next run lists that for
    # recovery. But no payment was ever made beyond what a published revision of its month entitled to at the time, plus
    # what had been claimed back by then.
    "每人每项每月已发与在途不超过历次核定的最高应发加已立案追缴": f"""
        SELECT count(*) FROM (
            SELECT p.elder_id, p.item_id, p.month, b.county_code, sum({SETTLED_AMOUNT}) AS settled
            FROM subsidies_payment p JOIN subsidies_batch b ON b.id = p.batch_id
            GROUP BY p.elder_id, p.item_id, p.month, b.county_code
        ) paid
        LEFT JOIN (
            SELECT n.elder_id, n.item_id, n.month, n.county_code, max(n.amount) AS entitled
            FROM subsidies_entitlement n
            JOIN subsidies_month m ON m.month = n.month AND m.county_code = n.county_code
            WHERE n.outcome = '应发' AND n.rev_from <= m.revision
              AND n.item_id IN (SELECT item_id FROM subsidies_paymentterms)
            GROUP BY n.elder_id, n.item_id, n.month, n.county_code
        ) due USING (elder_id, item_id, month, county_code)
        LEFT JOIN (
            SELECT elder_id, item_id, month, sum(amount) AS claimed FROM subsidies_recoveryline
            WHERE amount > 0 GROUP BY elder_id, item_id, month
        ) recovery USING (elder_id, item_id, month)
        WHERE settled > coalesce(entitled, 0) + coalesce(claimed, 0)""",
    "正常发放的明细不超过批次所依据版次的应发": """
        SELECT count(*) FROM subsidies_payment p
        JOIN subsidies_batch b ON b.id = p.batch_id
        LEFT JOIN subsidies_entitlement n
          ON n.month = p.month AND n.county_code = b.county_code AND n.elder_id = p.elder_id
          AND n.item_id = p.item_id AND n.outcome = '应发' AND n.rev_from <= b.revision
          AND (n.rev_to IS NULL OR n.rev_to > b.revision)
        WHERE p.kind = '正常' AND p.reissues_id IS NULL AND p.amount > coalesce(n.amount, 0)""",
    "批次笔数与金额等于其明细": f"""
        SELECT count(*) FROM subsidies_batch b
        LEFT JOIN (
            SELECT p.batch_id, count(*) AS lines, sum({_NET}) AS amount FROM subsidies_payment p
            WHERE {_IN_BATCH} GROUP BY p.batch_id
        ) s ON s.batch_id = b.id
        WHERE b.state <> '作废'
          AND (b.lines, b.amount) IS DISTINCT FROM (coalesce(s.lines, 0), coalesce(s.amount, 0))""",
    "银行文件笔数与金额等于批次要付的明细": f"""
        SELECT count(*) FROM subsidies_bankfile f JOIN subsidies_batch b ON b.id = f.batch_id
        LEFT JOIN (
            SELECT p.batch_id, count(*) AS lines, sum({_NET}) AS amount FROM subsidies_payment p
            WHERE {_IN_BATCH} AND {_NET} > 0 GROUP BY p.batch_id
        ) s ON s.batch_id = f.batch_id
        WHERE b.state <> '作废'
          AND ((f.lines, f.amount) IS DISTINCT FROM (coalesce(s.lines, 0), coalesce(s.amount, 0))
               OR f.amount <> b.amount)""",
    "回盘每一行都对上本批次的明细或列为未知": """
        SELECT (SELECT count(*) FROM subsidies_returnrow w
                JOIN subsidies_returnfile f ON f.id = w.file_id
                LEFT JOIN subsidies_payment p ON p.id = w.payment_id
                WHERE w.verdict IN ('成功', '失败', '处理中', '重复', '矛盾') AND p.id IS NULL
                   OR p.batch_id <> f.batch_id OR w.verdict = '未知' AND p.id IS NOT NULL)
             + (SELECT count(*) FROM subsidies_returnfile f
                WHERE f.rows <> (SELECT count(*) FROM subsidies_returnrow w WHERE w.file_id = f.id))""",
    "已发与失败的明细都以银行回盘为据且金额相符": f"""
        SELECT count(*) FROM subsidies_payment p
        WHERE p.state IN ('已发', '失败') AND {_NET} > 0 AND NOT EXISTS (
            SELECT FROM subsidies_returnrow w WHERE w.payment_id = p.id AND w.amount = {_NET}
            AND w.verdict = CASE p.state WHEN '已发' THEN '成功' ELSE '失败' END)""",
    "失败的明细至多重发一次，且是同一人同一项目同一月": f"""
        SELECT (SELECT count(*) FROM (
                    SELECT FROM subsidies_payment r WHERE r.reissues_id IS NOT NULL AND {_LIVE_REISSUE}
                    GROUP BY r.reissues_id HAVING count(*) > 1) twice)
             + (SELECT count(*) FROM subsidies_payment r JOIN subsidies_payment p ON p.id = r.reissues_id
                WHERE (r.elder_id, r.item_id, r.month) <> (p.elder_id, p.item_id, p.month)
                   OR r.amount > {_NET} OR {_LIVE_REISSUE} AND p.state <> '失败')""",
    "批次各步骤由不同的人办理": f"""
        SELECT (SELECT count(*) FROM subsidies_batchstep s JOIN subsidies_batch b ON b.id = s.batch_id
                WHERE s.actor_id = b.made_by_id AND s.action IN ({_not_by_maker()})
                   OR s.actor_id <> b.made_by_id AND s.action IN ('生成', '提交', '删除草稿'))
             + (SELECT count(*) FROM subsidies_batchstep s
                JOIN subsidies_batchstep o ON o.batch_id = s.batch_id AND o.actor_id = s.actor_id
                WHERE (s.action, o.action) IN ({_apart()}))
             + (SELECT count(*) FROM subsidies_townshipcheck c JOIN subsidies_batch b ON b.id = c.batch_id
                WHERE c.checked_by_id = b.made_by_id)""",
    "享受申请的经办、审核、审批为不同的人": """
        SELECT count(*) FROM subsidies_application
        WHERE made_by_id IN (checked_by_id, approved_by_id) OR checked_by_id = approved_by_id""",
    "追缴核销与撤销的申请人不是审批人": """
        SELECT count(*) FROM subsidies_recoveryrequest WHERE made_by_id = decided_by_id""",
    "异议由受理人和制单人以外的人处理": """
        SELECT count(*) FROM subsidies_objection o
        JOIN subsidies_payment p ON p.id = o.payment_id JOIN subsidies_batch b ON b.id = p.batch_id
        WHERE o.decided_by_id IN (o.received_by_id, b.made_by_id)""",
    "台账的财政拨款等于已发的明细": _ties("财政拨款", "p.state = '已发'", _SENT),
    "台账的银行在途等于未回盘的明细，关闭后为零": _ties(
        "银行在途", "b.state <> '关闭' AND p.state IN ('待发', '处理中')", _SENT
    ),
    "台账的应付补贴等于已确认未报送的明细": _ties(
        "应付补贴", f"b.kind = '发放' AND {_IN_BATCH}", "('待报银行')", "p.amount"
    ),
    "台账的应付未付等于未再付的失败明细": f"""
        SELECT count(*) FROM (
            SELECT b.county_code, e.item_id, sum(e.credit - e.debit) AS booked
            FROM subsidies_ledgerentry e JOIN subsidies_batch b ON b.id = e.batch_id
            WHERE e.account = '应付未付' GROUP BY b.county_code, e.item_id
        ) l
        FULL JOIN (
            SELECT b.county_code, p.item_id,
                   sum(CASE WHEN again.state IN {_SENT} THEN 0 WHEN again.state = '待报银行' THEN again.amount
                            ELSE {_NET} END) AS counted
            FROM subsidies_payment p JOIN subsidies_batch b ON b.id = p.batch_id
            LEFT JOIN LATERAL (
                SELECT rb.state, r.amount FROM subsidies_payment r JOIN subsidies_batch rb ON rb.id = r.batch_id
                WHERE r.reissues_id = p.id AND {_LIVE_REISSUE} AND r.state <> '暂缓'
                ORDER BY r.id DESC LIMIT 1
            ) again ON true
            WHERE p.state = '失败' GROUP BY b.county_code, p.item_id
        ) s USING (county_code, item_id)
        WHERE coalesce(l.booked, 0) <> coalesce(s.counted, 0)""",
    "台账的应收追缴等于每案未退的金额": """
        SELECT count(*) FROM (
            SELECT recovery_id, sum(debit - credit) AS booked FROM subsidies_ledgerentry
            WHERE account = '应收追缴' GROUP BY recovery_id
        ) l
        FULL JOIN (
            SELECT c.id, c.amount - coalesce(
                (SELECT sum(e.amount) FROM subsidies_recoveryentry e WHERE e.recovery_id = c.id), 0) AS counted
            FROM subsidies_recovery c
        ) s ON s.id = l.recovery_id
        WHERE coalesce(l.booked, 0) <> coalesce(s.counted, 0)""",
    "台账的抵扣往来收支相抵": """
        SELECT count(*) FROM (
            SELECT FROM subsidies_ledgerentry e LEFT JOIN subsidies_batch b ON b.id = e.batch_id
            LEFT JOIN subsidies_recovery c ON c.id = e.recovery_id
            WHERE e.account = '抵扣往来' GROUP BY coalesce(b.county_code, c.county_code)
            HAVING sum(e.debit) <> sum(e.credit)) uneven""",
    "追缴金额等于立案各月之和，未退金额不为负": """
        SELECT count(*) FROM subsidies_recovery c
        WHERE c.amount <> (SELECT coalesce(sum(l.amount), 0) FROM subsidies_recoveryline l
                           WHERE l.recovery_id = c.id AND l.amount > 0)
           OR c.amount < (SELECT coalesce(sum(e.amount), 0) FROM subsidies_recoveryentry e
                          WHERE e.recovery_id = c.id)""",
    "抵扣的记录等于已报送明细的抵扣": f"""
        SELECT count(*) FROM subsidies_payment p JOIN subsidies_batch b ON b.id = p.batch_id
        LEFT JOIN (
            SELECT payment_id, sum(amount) AS booked FROM subsidies_recoveryentry
            WHERE payment_id IS NOT NULL GROUP BY payment_id
        ) e ON e.payment_id = p.id
        WHERE coalesce(e.booked, 0)
              <> CASE WHEN b.state IN {_SENT} AND {_IN_BATCH} THEN p."offset" ELSE 0 END""",
}
