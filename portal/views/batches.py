"""Batches of payments: the list, and one batch with its figures, its way and what to do next."""

from collections.abc import Iterable, Mapping

from django.core.paginator import Paginator
from django.db.models import Case, Count, IntegerField, Max, Q, QuerySet, When, Window
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from operations.models import Job
from organization.choices import Permission
from organization.models import User
from organization.permissions import SignedInRequest, requires
from organization.querysets import in_areas
from portal.batch_bank import WITH_BANK, bank_side, job_of
from portal.batch_figures import ItemColumn, comparison_of, figures_of
from portal.batch_list import VIEWS, amount_chart, batch_queue, batch_rows, build_job
from portal.batch_scope import batch_or_404, covers
from portal.batch_steps import (
    may_reject,
    notice_days_left,
    offer_for,
    open_townships,
    stages_of,
    standing,
    state_tone,
    waits_for,
)
from portal.filtersets import without_position
from portal.scope import place_of
from subsidies.choices import (
    AnomalyKind,
    AnomalyState,
    BatchKind,
    BatchState,
    ObjectionState,
    PaymentState,
)
from subsidies.models import Anomaly, Batch, Objection, PaymentTerms

LISTED = 20
ANOMALIES = 10
BANK_ACTIONS = ("file", "send", "return")
#: stock phrases for sending a batch back
REJECTIONS = (
    "名单有误，请核实后重做",
    "金额有误，请核对标准后重做",
    "有人员已去世或迁出，请更新资料、重新核定后重做",
    "资料有变化，请重新核定后重做",
    "账户信息有误，请更正后重做",
)


@requires(Permission.PAYMENT_VIEW)
@require_GET
def batch_list(request: SignedInRequest) -> HttpResponse:
    """Batches, whom each waits for, and what was paid month by month."""
    view = request.GET.get("view", "")
    view = view if view in VIEWS else ""
    page = Paginator(batch_queue(request.user, view), LISTED).get_page(request.GET.get("page"))
    county = place_of(request.user).county_code
    context = {
        "rows": batch_rows(page.object_list, request.user),
        "page": page,
        "size": LISTED,
        "sizes": (LISTED,),
        "kept": without_position(request.GET),
        "view": view,
        "views": [(key, word) for key, (word, _) in VIEWS.items()],
        "chart": amount_chart(request.user, county) if covers(request.user, county) else None,
        "job": (job := build_job(request.user)),
        "built": _built(job),
    }
    return render(request, "portal/batch_list.html", context)


@requires(Permission.PAYMENT_VIEW)
@require_GET
def batch_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One batch: stages, figures that open their lists, table that ties, next action, history."""
    batch = batch_or_404(request.user, pk)
    return render(request, "portal/batch_detail.html", batch_context(batch, request.user))


def batch_context(batch: Batch, user: User) -> dict[str, object]:
    """Everything that the page of a batch shows."""
    batch = standing(batch, timezone.localdate())
    steps = list(batch.steps.select_related("actor"))
    checks = list(batch.checks.select_related("checked_by"))
    figures = figures_of(batch, user, steps, checks)
    lines = {state: figure.lines for state, figure in figures.by_state.items()}
    anomalies = list(_anomalies(batch, user)[:ANOMALIES])
    counted = anomalies[0] if anomalies else None
    has_file = hasattr(batch, "bank_file")
    offer = offer_for(batch, user, steps, checks, lines, has_file=has_file)
    return {
        "batch": batch,
        "tone": state_tone(batch.state),
        "stages": stages_of(batch, steps),
        "steps": steps[::-1],
        "figures": figures,
        "comparison": comparison_of(batch, user) if batch.state not in WITH_BANK else None,
        "offer": offer,
        "waits": waits_for(batch, checks, lines),
        "rejectable": may_reject(batch, user, steps, checks),
        "rejections": REJECTIONS,
        "mine": set(open_townships(batch, user, checks)),
        "anomalies": [row for row in anomalies if row.kind != AnomalyKind.NO_ACCOUNT],
        "anomaly_count": counted.total - counted.missing if counted else 0,  # type: ignore[attr-defined]  # annotated
        "no_account": counted.missing if counted else 0,  # type: ignore[attr-defined]  # annotated
        "notice_days": _notice_days(batch, figures.items) if offer.action == "approve" else 0,
        "objections": list(_objections(batch, user)) if _objected(batch, lines) else [],
        "days_left": notice_days_left(batch, timezone.localdate()),
        "bank_action": offer.action in BANK_ACTIONS,
        "bank": bank_side(batch, user, figures.failed.lines),
        "job": job_of(batch, user) if offer.action in BANK_ACTIONS else None,
        "whole": covers(user, batch.county_code),
    }


def _built(job: Job | None) -> Batch | None:
    """The draft that a finished job made, as long as it is one."""
    if job is None or job.state != Job.State.DONE:
        return None
    return Batch.objects.filter(pk=job.result.get("batch_id"), state=BatchState.DRAFT).first()


def _anomalies(batch: Batch, user: User) -> QuerySet[Anomaly]:
    """Anomalies of the run in the user's areas, those still to be decided first, people without an account last.

    total, missing: how many there are, and how many of them are people without an account.
    """
    rows = Anomaly.objects.filter(run=batch.month)
    if not covers(user, batch.county_code):
        rows = in_areas(rows, user.area_prefixes(Permission.PAYMENT_VIEW), "area_code")
    missing = Q(kind=AnomalyKind.NO_ACCOUNT)
    rank = Case(
        When(missing, then=3),
        When(state=AnomalyState.OPEN, then=0),
        When(state=AnomalyState.HELD, then=1),
        default=2,
        output_field=IntegerField(),
    )
    rows = rows.annotate(total=Window(Count("pk")), missing=Window(Count("pk", filter=missing)))
    return rows.select_related("elder", "item", "decided_by").order_by(rank, "kind", "pk")


def _notice_days(batch: Batch, items: Iterable[ItemColumn]) -> int:
    """Days of 公示 that approval would bring: the most that one of the items asks for, none for a reissue."""
    if batch.kind == BatchKind.REISSUE:
        return 0
    terms = PaymentTerms.objects.filter(item__in=[column.item.pk for column in items])
    return terms.aggregate(days=Max("notice_days"))["days"] or 0


def _objected(batch: Batch, lines: Mapping[str, int]) -> bool:
    """Whether objections are worth a look: from the notice on, later only while lines are held or were struck out."""
    if batch.notice_from is None:
        return False
    held_back = lines.get(PaymentState.HELD, 0) + lines.get(PaymentState.VOID, 0)
    return batch.state not in WITH_BANK or held_back > 0


def _objections(batch: Batch, user: User) -> QuerySet[Objection]:
    """Objections to lines of the batch in the user's areas, open ones first."""
    rows = Objection.objects.filter(payment__batch=batch)
    if not covers(user, batch.county_code):
        rows = in_areas(rows, user.area_prefixes(Permission.PAYMENT_VIEW), "payment__area_code")
    rank = Case(When(state=ObjectionState.OPEN, then=0), default=1, output_field=IntegerField())
    related = ("payment__elder", "payment__item", "received_by", "decided_by")
    return rows.select_related(*related).order_by(rank, "pk")
