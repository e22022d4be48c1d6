"""Two people act on one case at once: first without the lock, to show that it matters, then with it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import connection

from eldercare.choices import Kind
from eldercare.models import Elder
from organization.choices import Role
from organization.models import Area, User
from subsidies.models import Recovery, RecoveryEntry, RecoveryLine
from subsidies.recovery_selectors import open_sums
from subsidies.refusals import MoneyRefusedError
from subsidies.services import recovery_entry
from subsidies.services.recovery import recovery_open
from subsidies.services.recovery_entry import entry_add, recovery_repay
from subsidies.services.recovery_request import recovery_decide, recovery_request
from tests.conftest import COUNTY, make_user
from tests.races import IN_VAIN, SURELY, at_once, met_before, raised
from tests.registry import add, make_elder
from tests.subsidies.county import item, publish_list, run
from tests.subsidies.recoveries import a_batch, open_case, pay, portal_pays, unbalanced

MARCH, MAY = date(2025, 3, 1), date(2025, 5, 1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clerk(county: Area) -> User:
    return make_user("clerk", Role.BUREAU_CLERK, COUNTY)


@pytest.fixture
def overpaid(clerk: User) -> Elder:
    """Dead since February, paid 50 元 for May."""
    publish_list(item("C04", "年龄 >= 70"))
    elder = make_elder(date(1940, 1, 1))
    portal_pays("C04", MARCH)
    pay(a_batch(run(MAY), clerk), elder, "C04")
    add(elder, Kind.DEATH, "是", date(2025, 2, 2))
    run(MAY)
    return elder


@pytest.fixture
def case(overpaid: Elder, clerk: User) -> Recovery:
    return open_case(run(MAY), overpaid, "C04", clerk)


def together(*acts: Callable[[], object]) -> list[str]:
    """Let the acts run side by side; return what was refused."""
    errors = raised(at_once(*acts))
    assert all(isinstance(error, MoneyRefusedError) for error in errors), errors
    return [str(error) for error in errors]


def meet_before_writing(monkeypatch: pytest.MonkeyPatch, wait: float) -> None:
    """Let both read what is open before either writes, as far as the lock lets them."""
    monkeypatch.setattr(recovery_entry, "entry_add", met_before(entry_add, wait))


def repayments(case: Recovery, key_one: UUID, key_two: UUID) -> list[str]:
    """Two finance clerks each book the whole sum."""
    people = [make_user(f"finance{n}", Role.FINANCE, COUNTY) for n in range(2)]

    def book(person: User, key: UUID) -> Callable[[], object]:
        return lambda: recovery_repay(
            recovery_id=case.pk, amount=Decimal(50), on=date(2025, 6, 1), key=key, actor=person
        )

    return together(book(people[0], key_one), book(people[1], key_two))


def test_without_the_lock_two_repayments_return_more_than_is_open(
    case: Recovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        recovery_entry, "_cases_locked", lambda elder_id, _: list(Recovery.objects.filter(elder=elder_id))
    )
    meet_before_writing(monkeypatch, SURELY)
    assert repayments(case, uuid4(), uuid4()) == []
    assert open_sums([case.pk])[case.pk] == Decimal(-50)


def test_two_repayments_at_once_never_return_more_than_is_open(
    case: Recovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    meet_before_writing(monkeypatch, IN_VAIN)
    refused = repayments(case, uuid4(), uuid4())
    assert refused == ["本案没有未退金额，请刷新页面查看"]
    assert open_sums([case.pk])[case.pk] == 0
    assert unbalanced() == []


def test_one_form_sent_twice_at_once_books_once(case: Recovery, monkeypatch: pytest.MonkeyPatch) -> None:
    meet_before_writing(monkeypatch, IN_VAIN)
    key = uuid4()
    assert repayments(case, key, key) == []
    assert RecoveryEntry.objects.count() == 1


def test_a_case_opened_by_two_at_once_claims_its_months_once(overpaid: Elder, clerk: User) -> None:
    other, month = make_user("other", Role.BUREAU_CLERK, COUNTY), run(MAY)
    refused = together(
        lambda: open_case(month, overpaid, "C04", clerk), lambda: open_case(month, overpaid, "C04", other)
    )
    assert len(refused) == 1
    assert "立案" in refused[0]
    assert RecoveryLine.objects.count() == 1


def test_a_write_off_and_a_repayment_at_once_lower_the_sum_once(
    case: Recovery, clerk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = recovery_request(recovery_id=case.pk, kind="核销", reason="无力退回", actor=clerk)
    chief, finance = (
        make_user("chief", Role.BUREAU_CHIEF, COUNTY),
        make_user("finance", Role.FINANCE, COUNTY),
    )
    meet_before_writing(monkeypatch, IN_VAIN)
    refused = together(
        lambda: recovery_decide(request_id=asked.pk, approved=True, opinion="", actor=chief),
        lambda: recovery_repay(
            recovery_id=case.pk, amount=Decimal(50), on=date(2025, 6, 1), key=uuid4(), actor=finance
        ),
    )
    assert len(refused) == 1
    assert open_sums([case.pk])[case.pk] == 0
    assert RecoveryEntry.objects.count() == 1


def test_while_a_month_is_run_no_case_is_opened(overpaid: Elder, clerk: User) -> None:
    month = run(MAY)
    item_id = overpaid.payments.get().item_id
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('month_run'), hashtext(%s))", [COUNTY])
        try:
            refused = together(
                lambda: recovery_open(
                    run=month, elder_id=overpaid.pk, item_id=item_id, cause="去世", actor=clerk
                )
            )
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('month_run'), hashtext(%s))", [COUNTY])
    assert refused == ["本县正在核定月份或生成批次，请等一两分钟再办"]
    assert not Recovery.objects.exists()
