"""The gate as plain values and as the run decides it: who applied, who is held back, who renounced."""

from datetime import date

import pytest

from eldercare.models import Elder
from subsidies.gate import Spell, gate
from subsidies.models import Enrolment
from tests.registry import make_elder
from tests.subsidies.county import enrol, item, outcomes, publish_list, run

MAY, JUNE, JULY = (date(2024, month, 1) for month in (5, 6, 7))
AGED = "年龄 >= 80"
#: spells, outcome of an item to apply for, outcome of one that comes by itself
CASES: list[tuple[list[Spell], str, str]] = [
    ([], "未申请", "应发"),
    ([Spell(JUNE)], "应发", "应发"),
    ([Spell(JULY)], "未申请", "应发"),
    ([Spell(MAY, JUNE, "终止")], "应发", "应发"),
    ([Spell(MAY, MAY, "终止")], "未申请", "未申请"),
    ([Spell(MAY, MAY, "终止"), Spell(JUNE)], "应发", "应发"),
    ([Spell(MAY, MAY, "终止"), Spell(JULY)], "未申请", "未申请"),
    ([Spell(MAY, MAY, "终止"), Spell(JUNE, None, "暂停")], "暂停", "暂停"),
    ([Spell(MAY, None, "暂停")], "暂停", "暂停"),
    ([Spell(MAY, None, "暂停", JUNE)], "暂停", "暂停"),
    ([Spell(MAY, None, "暂停", JULY)], "应发", "应发"),
    ([Spell(MAY, MAY, "暂停")], "未申请", "未申请"),
    ([Spell(MAY), Spell(JUNE, None, "暂停")], "暂停", "暂停"),
    ([Spell(MAY, JULY, "终止", JUNE)], "未申请", "未申请"),
    ([Spell(MAY, JULY, "终止", JULY)], "应发", "应发"),
    ([Spell(JULY, None, "暂停")], "未申请", "应发"),
]


@pytest.mark.parametrize(("spells", "on_request", "automatic"), CASES)
def test_the_gate_follows_the_enrolments_that_have_begun(
    spells: list[Spell], on_request: str, automatic: str
) -> None:
    assert gate(automatic=False, spells=spells, month=JUNE) == on_request
    assert gate(automatic=True, spells=spells, month=JUNE) == automatic


@pytest.mark.django_db(transaction=True)
def test_the_run_decides_every_case_as_the_plain_function_does() -> None:
    publish_list(
        item("ASK", AGED, application="申请"),
        item("AUTO", AGED),
        item("HOME", AGED, subject="家庭"),
        item("HOMEASK", AGED, subject="家庭", application="申请"),
    )
    elders: list[Elder] = []
    for spells, _, _ in CASES:
        elder = make_elder(date(1940, 1, 1))
        elders.append(elder)
        for code in ("ASK", "AUTO", "HOME", "HOMEASK"):
            for spell in spells:
                row = enrol(elder, code, spell.first_month, spell.last_month, spell.state)
                Enrolment.objects.filter(pk=row.pk).update(suspended_from=spell.suspended_from)
    run(JUNE)
    for elder, (_, on_request, automatic) in zip(elders, CASES, strict=True):
        assert outcomes(elder, JUNE) == {
            "ASK": on_request,
            "AUTO": automatic,
            "HOME": automatic,
            "HOMEASK": on_request,
        }
