"""The county of the money machine: its registry, its months, and how every command is given."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from django.core.management import call_command
from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from catalog.models import Item
from eldercare.choices import YES, Kind
from eldercare.services.circumstance import circumstance_set
from organization.models import User
from subsidies.choices import (
    BatchState,
    ResumeReason,
    StopReason,
)
from subsidies.models import (
    Batch,
    Month,
)
from subsidies.refusals import MoneyRefusedError
from subsidies.services.enrolment_change import enrolment_resume, enrolment_stop, enrolment_suspend
from tests.registry import make_elder
from tests.subsidies.county import OTHER_VILLAGE, VILLAGE, enrol, item, months, publish_list, run
from tests.subsidies.money import account, staff, terms

SPAN: Final = months(date(2025, 1, 1), date(2025, 12, 1))
#: Months after all: what was overpaid for a month, or found while a case of its run stands, is listed by a later run.
AFTER: Final = months(date(2026, 1, 1), date(2026, 5, 1))
TABLES: Final = (
    "batch",
    "payment",
    "townshipcheck",
    "returnfile",
    "returnrow",
    "ledgerentry",
    "recovery",
    "recoveryline",
    "recoveryentry",
    "recoveryrequest",
    "enrolment",
    "adjustment",
)
OVER: Final = (BatchState.CLOSED, BatchState.VOID)
WITH_BANK: Final = (BatchState.SENT, BatchState.RETURNED)
ENROLMENT_ACTS: Final[tuple[Callable[..., Any], ...]] = (enrolment_suspend, enrolment_resume, enrolment_stop)
seeds = st.integers(0, 2**32)


def standing() -> dict[str, str]:
    """What every table of money holds, as a digest."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                "SELECT coalesce(md5(string_agg(said, '|' ORDER BY said)), '')"
                f" FROM (SELECT (to_jsonb(t) - 'id')::text AS said FROM subsidies_{table} t) rows"
            )
            found[table] = str(cursor.fetchone()[0])
    return found


class CountyMachine(RuleBasedStateMachine):
    """A county of six elders and three paid items: facts change, months are run, enrolments are held and freed.

    met: what all lives together have come upon, so that a machine that only idles is found out.
    """

    met: ClassVar[Counter[str]] = Counter()

    @initialize()
    def county(self) -> None:
        call_command("flush", interactive=False, verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE eldercare_monthlyfacts, subsidies_entitlement")
        publish_list(
            item("AGE", "年龄 >= 80"),
            item("POOR", "低保", application="申请", amount=100, start="当月"),
            item("CARE", "残疾等级 >= 1", amount=[{"if": "残疾等级 = 1", "pay": "70.01"}, {"pay": "33.33"}]),
        )
        self.who = staff()
        for code in ("AGE", "POOR", "CARE"):
            terms(code, SPAN[0])
        self.elders = [
            make_elder(date(1935 + n, 3, n + 1), hukou=VILLAGE if n % 2 else OTHER_VILLAGE, name=f"张测{n}")
            for n in range(6)
        ]
        for elder in self.elders:
            account(elder)
            enrol(elder, "POOR", SPAN[0])
        self.opened = 0
        self.run_next()
        self.begin()

    def begin(self) -> None:
        """What stands before anything happens."""

    def do(self, command: Callable[..., Any], **given: Any) -> None:
        """Give a command, which may be refused, and give it again: the second time changes nothing."""
        with suppress(MoneyRefusedError):
            command(**given)
        before = standing()
        with suppress(MoneyRefusedError):
            command(**given)
        assert standing() == before, f"{command.__name__} changed something when it was repeated"

    def checker(self, batch: Batch) -> User:
        """Who has the batch before him."""
        towns = set(batch.checks.values_list("township", flat=True))
        lead = self.who.lead_a if self.who.lead_a.area_prefixes()[0] in towns else self.who.lead_b
        waits_for = {BatchState.TOWNSHIP: lead, BatchState.FINANCE: self.who.finance}
        return waits_for.get(BatchState(batch.state), self.who.chief)

    def newest(self) -> Month:
        return Month.objects.get(month=SPAN[self.opened - 1])

    def some(self, seed: int, rows: Any) -> Any:
        """One of the rows, or None if there are none."""
        found = list(rows.order_by("pk"))
        return found[seed % len(found)] if found else None

    # the registry and the months

    @precondition(lambda self: self.opened < len(SPAN))
    @rule()
    def run_next(self) -> None:
        self.opened += 1
        self.do(run, month=SPAN[self.opened - 1])

    @rule(seed=seeds)
    def run_again(self, seed: int) -> None:
        self.do(run, month=SPAN[seed % self.opened])

    @rule(
        seed=seeds, kind=st.sampled_from(["poor", "care", "death", "not dead"]), offset=st.integers(-40, 40)
    )
    def facts_change(self, seed: int, kind: str, offset: int) -> None:
        elder, day = self.elders[seed % 6], SPAN[self.opened - 1] + timedelta(days=offset)
        values = {
            "poor": (Kind.LOW_INCOME_ALLOWANCE, (YES, None)[seed % 2]),
            "care": (Kind.DISABILITY_LEVEL, ("1", "2", None)[seed % 3]),
            "death": (Kind.DEATH, YES),
            "not dead": (Kind.DEATH, None),
        }
        which, value = values[kind]
        circumstance_set(elder=elder, kind=which, value=value, starts=day, source="测试")

    @rule(seed=seeds, act=st.sampled_from(ENROLMENT_ACTS))
    def enrolment_changes(self, seed: int, act: Callable[..., Any]) -> None:
        reason = ResumeReason.OTHER if act is enrolment_resume else StopReason.NOT_FOUND
        code = ("AGE", "POOR", "CARE")[seed % 3]
        self.do(
            act,
            elder=self.elders[seed % 6],
            item=Item.objects.get(code=code),
            actor=self.who.maker,
            reason=reason,
        )
