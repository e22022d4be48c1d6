"""What the rows of a return file mean for the lines of a batch: one SQL statement for the whole file.

A line only ever moves on: 待发 → 处理中 → 已发 → 失败. A failure after a success is a 退票; a success after a failure
is a contradiction that somebody has to ask the bank about, and changes nothing. So the order in which files come does
not matter. One file that says both of a line that is still open proves neither: both rows are contradictions.
Rows are matched by line number, then compared by amount and, where the file has it, by account; never by name.
"""

from typing import Final

from subsidies.choices import PaymentState, Verdict

INPUT: Final = "return_input"
JUDGED: Final = "return_judged"
COLUMNS: Final = (
    "row",
    "foreign_batch",
    "line",
    "amount",
    "account",
    "result",
    "reason",
    "text",
    "paid_on",
    "tail",
)
CREATE_INPUT: Final = f"""
DROP TABLE IF EXISTS {INPUT};
CREATE TEMP TABLE {INPUT} (
    row integer, foreign_batch boolean, line integer, amount numeric(14, 2), account bytea, result varchar(4),
    reason varchar(8), text varchar(120), paid_on date, tail varchar(4)
) ON COMMIT DROP
"""
#: Rows (row, visible end, account as sent) whose account the bank masks.
MASKED: Final = f"""
SELECT i.row, i.tail, p.account_cipher
FROM {INPUT} i JOIN subsidies_payment p ON p.batch_id = %(batch)s AND p.number = i.line
WHERE i.tail <> '' AND NOT i.foreign_batch
"""
#: An account that is none of ours, so that it is judged as another one.
REFUSE_MASKED: Final = f"UPDATE {INPUT} SET account = '' WHERE row = ANY(%(rows)s)"
COPY_INPUT: Final = f"COPY {INPUT} ({', '.join(COLUMNS)}) FROM STDIN"

#: Verdicts that change a line, and the state they give it.
STATES: Final[dict[Verdict, PaymentState]] = {
    Verdict.PAID: PaymentState.PAID,
    Verdict.FAILED: PaymentState.FAILED,
    Verdict.PROCESSING: PaymentState.PROCESSING,
}
_OPEN: Final = f"'{PaymentState.PENDING}', '{PaymentState.PROCESSING}'"

# A void line was with the bank only if it has a reason: it failed there and was given up afterwards.
_SENT: Final = f"""
SELECT p.id, p.number, p.item_id, p.amount - p."offset" AS net, p.account_index,
       CASE p.state WHEN '{PaymentState.VOID}' THEN '{PaymentState.FAILED}' ELSE p.state END AS state
FROM subsidies_payment p
WHERE p.batch_id = %(batch)s AND p.amount > p."offset"
  AND (p.state IN ({_OPEN}, '{PaymentState.PAID}', '{PaymentState.FAILED}')
       OR p.state = '{PaymentState.VOID}' AND p.reason <> '')
"""
_MATCHED: Final = f"""
SELECT i.*, s.id AS payment_id, s.item_id, s.net, s.state,
       CASE WHEN i.foreign_batch THEN '{Verdict.UNKNOWN}'
            WHEN i.line IS NULL OR i.amount IS NULL OR i.result IS NULL THEN '{Verdict.UNREADABLE}'
            WHEN s.id IS NULL THEN '{Verdict.UNKNOWN}'
            WHEN i.amount <> s.net THEN '{Verdict.AMOUNT}'
            WHEN i.account <> s.account_index THEN '{Verdict.ACCOUNT}'
       END AS refused
FROM {INPUT} i
LEFT JOIN ({_SENT}) s ON s.number = i.line AND NOT i.foreign_batch
"""
_COMPARED: Final = f"""
SELECT m.*,
       bool_or(m.result = '{Verdict.PAID}') OVER line AS says_paid,
       bool_or(m.result = '{Verdict.FAILED}') OVER line AS says_failed,
       row_number() OVER (PARTITION BY m.payment_id, m.refused IS NULL, m.result ORDER BY m.row) AS time
FROM ({_MATCHED}) m
WINDOW line AS (PARTITION BY m.payment_id, m.refused IS NULL)
"""
JUDGE: Final = f"""
DROP TABLE IF EXISTS {JUDGED};
CREATE TEMP TABLE {JUDGED} ON COMMIT DROP AS
SELECT c.row, c.payment_id, c.item_id, c.net, c.state, c.amount, c.paid_on, c.reason,
       CASE WHEN c.refused = '{Verdict.UNKNOWN}' AND NOT c.foreign_batch
            THEN left('序号 ' || c.line || '：' || c.text, 120) ELSE c.text END AS text,
       CASE WHEN c.refused IS NOT NULL THEN c.refused
            WHEN c.state = '{PaymentState.FAILED}' AND c.result = '{Verdict.PAID}' THEN '{Verdict.CONFLICT}'
            WHEN c.state IN ({_OPEN}) AND c.says_paid AND c.says_failed AND c.result <> '{Verdict.PROCESSING}'
                THEN '{Verdict.CONFLICT}'
            WHEN c.time > 1 THEN '{Verdict.REPEATED}'
            WHEN c.state = '{PaymentState.PENDING}' AND c.result = '{Verdict.PROCESSING}'
                 AND NOT (c.says_paid OR c.says_failed) THEN '{Verdict.PROCESSING}'
            WHEN c.state IN ({_OPEN}) AND c.result <> '{Verdict.PROCESSING}' THEN c.result
            WHEN c.state = '{PaymentState.PAID}' AND c.result = '{Verdict.FAILED}' THEN c.result
            ELSE '{Verdict.REPEATED}'
       END AS verdict
FROM ({_COMPARED}) c
"""
_NEW_STATE: Final = " ".join(f"WHEN '{verdict}' THEN '{state}'" for verdict, state in STATES.items())
_CHANGING: Final = ", ".join(f"'{verdict}'" for verdict in STATES)

COUNT: Final = f"SELECT verdict, count(*) FROM {JUDGED} GROUP BY verdict"
#: Rows (item, state before, state after, lines, Σ net).
CHANGES: Final = f"""
SELECT item_id, state, CASE verdict {_NEW_STATE} END AS after, count(*), sum(net)
FROM {JUDGED} WHERE verdict IN ({_CHANGING}) GROUP BY item_id, state, after ORDER BY item_id, state, after
"""
APPLY: Final = f"""
UPDATE subsidies_payment p
SET state = CASE j.verdict {_NEW_STATE} END,
    reason = CASE j.verdict WHEN '{Verdict.FAILED}' THEN j.reason ELSE '' END,
    paid_on = CASE j.verdict WHEN '{Verdict.PAID}' THEN j.paid_on END
FROM {JUDGED} j WHERE p.id = j.payment_id AND j.verdict IN ({_CHANGING})
"""
KEEP: Final = f"""
INSERT INTO subsidies_returnrow (file_id, number, payment_id, verdict, reason, bank_text, amount, paid_on)
SELECT %(file)s, row, payment_id, verdict, reason, text, amount, paid_on FROM {JUDGED} ORDER BY row
"""
