"""What visits leave to be done: the list, one matter, and its photos."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from eldercare.facts import completed_years
from organization.areas import county_code, township_code
from organization.choices import Permission, Role
from organization.models import Area, Bureau, User
from organization.permissions import SignedInRequest, requires, user_may
from portal.filtersets import without_position
from portal.follow_up_rows import DUES, NO_BUREAU, RISKS, STATES, filtered, follow_up_rows
from portal.paging import SIZES, position_of
from portal.photos import photo_response
from portal.scope import place_of
from portal.visit_people import masked_phone
from subsidies.batch_lines import NOT_SENT
from subsidies.choices import PaymentState
from subsidies.models import Payment
from subsidies.reported import reports_open
from visits.choices import DEPARTURE_KINDS, EFFECTIVE, INSTITUTIONS, OPEN_FOLLOW_UP, FollowUpKind, Result
from visits.follow_ups import figures_of, may_handle
from visits.models import FollowUp, Visit, VisitPhoto

#: Stock words for the paper or the person that shows it.
DEATH_EVIDENCE = ("家属出示死亡证明", "火化证明", "户口已注销", "村（社区）出具证明")
MOVE_EVIDENCE = ("户口迁移证明", "家属确认并提供新址", "机构入住合同", "村（社区）出具证明")


@requires(Permission.FOLLOW_UP)
@require_GET
def follow_up_list(request: SignedInRequest) -> HttpResponse:
    """Matters that fit the filters, the most pressing first; without a state those still open."""
    return list_page(request, request.GET)


def list_page(request: SignedInRequest, params: QueryDict, refusal: str = "") -> HttpResponse:
    """The list as it stands for these filters."""
    now = timezone.now()
    seen = FollowUp.objects.visible_to(request.user)
    found = filtered(seen, params, request.user, now)
    figures = figures_of(found, now)
    size = position_of(params).size
    paginator = Paginator(found.select_related("elder", "bureau").order_by("due_at", "pk"), size)
    paginator.count = figures.total
    page = paginator.get_page(params.get("page"))
    place = place_of(request.user)
    of_a_bureau = {Role.DEPARTMENT} == set(request.user.role_names())
    context = {
        "rows": follow_up_rows(page.object_list, now),
        "figures": figures,
        "page": page,
        "size": size,
        "sizes": SIZES,
        "kept": without_position(params),
        "kinds": FollowUpKind.values,
        "states": STATES,
        "risks": RISKS,
        "dues": DUES,
        "bureaus": [] if of_a_bureau else Bureau.objects.filter(area=place.county_code).order_by("name"),
        "no_bureau": NO_BUREAU,
        "areas": Area.objects.current().children_of(place.area_code).order_by("code"),
        "refusal": refusal,
    }
    return render(request, "portal/follow_up_list.html", context, status=409 if refusal else 200)


@requires(Permission.FOLLOW_UP)
@require_GET
def follow_up_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One matter: whom it is about, what was found, what was done, what to do next."""
    return render(request, "portal/follow_up_detail.html", detail_context(request.user, pk))


@requires(Permission.FOLLOW_UP)
@require_GET
def photo(request: SignedInRequest, pk: int, photo_id: UUID) -> HttpResponse:
    """A photo that came with the record, to whoever may see the matter."""
    row = follow_up_or_404(request.user, pk)
    found = VisitPhoto.objects.filter(visit=row.visit_id).select_related("file")
    return photo_response(get_object_or_404(found, pk=photo_id))


def follow_up_or_404(user: User, pk: int) -> FollowUp:
    """A matter in the user's sight: of the areas of a role, of the own bureau for a bureau's staff."""
    rows = FollowUp.objects.visible_to(user).select_related("elder__contact", "bureau", "visit", "finding")
    return get_object_or_404(rows, pk=pk)


def detail_context(user: User, pk: int) -> dict[str, Any]:
    """What the page of a matter shows."""
    now = timezone.now()
    row = follow_up_or_404(user, pk)
    steps = list(row.steps.select_related("actor"))
    handles = may_handle(user, row)
    departs = row.kind in DEPARTURE_KINDS
    met = Visit.objects.standing().filter(elder=row.elder_id, result__in=EFFECTIVE).order_by("-at").first()
    return {
        "item": follow_up_rows([row], now)[0],
        "row": row,
        "visit": row.visit,
        # the bureau that was asked sees what it was asked about, not the rest of the visit
        "sees_visit": user_may(user, Permission.VISIT_VIEW),
        "met": met,
        "masked": masked_phone(row.elder),
        "to_ask": [] if user_may(user, Permission.PHONE_REVEAL) else _clerks(row),
        "age": completed_years(row.elder.birth_date, timezone.localdate(now)),
        "photos": list(row.visit.photos.all()),
        "steps": steps,
        "seen": steps[-1].pk if steps else 0,
        "handles": handles and row.state in OPEN_FOLLOW_UP,
        "departs": departs,
        "may_confirm": departs and handles and user_may(user, Permission.ENROLMENT_CHANGE),
        "is_institution": row.visit.result == Result.INSTITUTION,
        "institutions": INSTITUTIONS,
        "evidence": DEATH_EVIDENCE if row.kind == FollowUpKind.DEATH else MOVE_EVIDENCE,
        "told": row.visit.event_day or timezone.localdate(row.visit.at),
        "held": _held(user, row),
        "bureaus": _others(row) if row.kind == FollowUpKind.REFERRAL and handles else [],
        "typed": {},
    }


def _held(user: User, row: FollowUp) -> dict[str, Any] | None:
    """Lines of batches on their way that wait for the decision; for who may see payments."""
    if (
        not user_may(user, Permission.PAYMENT_VIEW)
        or not reports_open([row.area_code]).filter(pk=row.pk).exists()
    ):
        return None
    lines = Payment.objects.filter(elder=row.elder_id, state=PaymentState.PENDING, batch__state__in=NOT_SENT)
    return {"n": lines.count(), "amount": lines.aggregate(amount=Sum("amount"))["amount"] or 0}


def _clerks(row: FollowUp) -> list[User]:
    """Whom a bureau that may not see the number asks: the clerks of the elder's township."""
    township = township_code(row.area_code)
    found = User.objects.filter(
        is_active=True, assignments__role=Role.TOWNSHIP_CLERK, assignments__area_id=township
    )
    return list(found.order_by("full_name", "pk").distinct())


def _others(row: FollowUp) -> list[Bureau]:
    return list(
        Bureau.objects.filter(area=county_code(row.area_code)).exclude(pk=row.bureau_id or 0).order_by("name")
    )
