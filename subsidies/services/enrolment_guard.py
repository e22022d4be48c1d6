"""Who may touch whose enrolment, and the lock that keeps two at once apart.

The elder's row is locked first by everything that changes an enrolment; several elders in order of their keys.
"""

from datetime import date
from typing import Final

from catalog.models import Item
from eldercare.models import Elder
from organization.choices import Permission
from organization.models import User
from subsidies.applications import enrolled_with, home_code, running
from subsidies.models import Application
from subsidies.refusals import MoneyRefusedError

OUT_OF_AREA: Final = "这位老年人不在您可办理的区划内；请由其户籍或居住地的镇（街）办理"
OTHER_LIST: Final = (
    "“{item}”由{county}发放，这位老年人在该县的住处不在您可办理的区划内；请由该县当地的镇（街）办理"
)
ENROLLED: Final = "{who}已登记享受“{item}”（自 {first:%Y-%m} 起，{state}），不用再申请；如已暂停，请办理恢复"
SAME_PERSON: Final = "{former}和{now}不能是同一人；请由其他{role}办理"
NOT_YOURS: Final = "这件申请不在您可{act}的区划内；请由当地{role}办理"


def elder_held(elder: Elder, actor: User, permission: Permission) -> Elder:
    """Lock the elder and the household, whose enrolments may count for each other; refuse who is out of area."""
    seen = Elder.objects.visible_to(actor, permission).filter(pk=elder.pk).first()
    if seen is None:
        raise MoneyRefusedError(OUT_OF_AREA)
    home = Elder.objects.select_for_update(no_key=True).filter(household_key=seen.household_key)
    return {member.pk: member for member in home.order_by("id")}.get(seen.pk, seen)


def refuse_other_list(elder: Elder, item: Item, actor: User, permission: Permission) -> None:
    """Refuse who sees the elder by a place in another county than that whose list the item stands in."""
    area = item.document.area
    place = home_code(elder, area.code) or area.code
    if not any(place.startswith(prefix) for prefix in actor.area_prefixes(permission)):
        raise MoneyRefusedError(OTHER_LIST.format(item=item.name, county=area.name))


def refuse_enrolled(elder: Elder, item: Item, month: date) -> None:
    """Refuse where the elder, or for a household's item a member, is enrolled already."""
    row = running(enrolled_with(elder, item), month).select_related("elder").first()
    if row is not None:
        who = "" if row.elder_id == elder.pk else f"同户的{row.elder.name}"
        raise MoneyRefusedError(
            ENROLLED.format(who=who, item=item.name, first=row.first_month, state=row.state)
        )


def may_handle(application: Application, actor: User, permission: Permission, act: str, role: str) -> None:
    """Refuse where the application lies outside the areas in which the actor has the permission."""
    if not any(application.area_code.startswith(prefix) for prefix in actor.area_prefixes(permission)):
        raise MoneyRefusedError(NOT_YOURS.format(act=act, role=role))


def keep_apart(actor: User, former: User | None, before: str, now: str, role: str) -> None:
    """Refuse a step to the person who took the one before it (maker, checker and approver are three)."""
    if former is not None and former.pk == actor.pk:
        raise MoneyRefusedError(SAME_PERSON.format(former=f"{before}人", now=f"{now}人", role=role))
