"""The round of certification that the terms ask for, with proofs by hand beside those that visits have given."""

from datetime import date
from typing import Final

from organization.choices import Role
from organization.models import Area
from portal.demo.accounts import person
from portal.demo.areas import COUNTY
from subsidies.choices import CertificationMode
from subsidies.models import CertificationDue, CertificationRound
from subsidies.services.certification import certification_record, certification_rounds_ensure

MODES: Final = (
    (CertificationMode.ONSITE, "家中", True),
    (CertificationMode.VIDEO, "视频通话", True),
    (CertificationMode.DATA, "医保就诊记录", True),
    (CertificationMode.ONSITE, "两次上门无人，邻居称去向不明", False),
)


def certifications_make(today: date, township: Area) -> int:
    """Open the rounds of the day and record a few of the township's elders; return how many are on the lists."""
    certification_rounds_ensure(today=today)
    rounds = CertificationRound.objects.filter(county_code=COUNTY)
    dues = CertificationDue.objects.filter(round__in=rounds)
    # in the order of the list, whether certified or not: a step cut short meets the same again
    own = dues.filter(area_code__startswith=township.code[:9]).select_related("elder").order_by("elder_id")
    actor = person(Role.TOWNSHIP_CLERK)
    for due, (mode, place, alive) in zip(own[: len(MODES)], MODES, strict=False):
        certification_record(elder=due.elder, on=today, mode=mode, actor=actor, place=place, alive=alive)
    return dues.count()
