"""Roster files: upload, check, commit, result, undo."""

from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from eldercare.models import ImportBatch
from operations.services.stored_file import stored_file_read
from organization.choices import Permission
from organization.models import Assignment, User
from organization.permissions import SignedInRequest, requires
from organization.querysets import in_areas
from portal.exports import attachment
from portal.forms import UploadForm
from portal.roster_link import RosterRefusal, commit, template, undo, upload

LISTED = 50


@requires(Permission.ROSTER_IMPORT)
@require_http_methods(["GET", "POST"])
def import_list(request: SignedInRequest) -> HttpResponse:
    """The upload form above the batches so far; a refused file is answered on the form."""
    form = UploadForm(request.POST or None, request.FILES or None, initial={"as_of": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            batch = upload(
                file=form.cleaned_data["file"], as_of=form.cleaned_data["as_of"], user=request.user
            )
        except RosterRefusal as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("portal:import-detail", batch.pk)
    context = {
        "form": form,
        "batches": _visible(request.user).select_related("file", "created_by", "job")[:LISTED],
    }
    return render(request, "portal/import_list.html", context, status=400 if form.errors else 200)


@requires(Permission.ROSTER_IMPORT)
@require_GET
def import_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Where a batch stands: checking, preview, committing, result, undone."""
    batch = get_object_or_404(
        _visible(request.user).select_related("file", "errors_file", "job", "created_by"), pk=pk
    )
    return render(request, "portal/import_detail.html", {"batch": batch, **_view_of(batch)})


@requires(Permission.ROSTER_IMPORT)
@require_POST
def import_commit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Write the checked batch in the chosen mode; a second click finds it done."""
    batch = get_object_or_404(_visible(request.user), pk=pk)
    mode = request.POST.get("mode", "")
    try:
        commit(batch=batch, mode=ImportBatch.Mode(mode), user=request.user)
    except (RosterRefusal, ValueError) as refusal:
        messages.error(request, str(refusal) if isinstance(refusal, RosterRefusal) else "请选择入库方式。")
    return redirect("portal:import-detail", batch.pk)


@requires(Permission.ROSTER_IMPORT)
@require_POST
def import_undo(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a committed batch back, or say what rests on it."""
    batch = get_object_or_404(_visible(request.user), pk=pk)
    try:
        undo(batch=batch, user=request.user)
    except RosterRefusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "已撤销：这一批带来的改动全部退回，登记恢复到入库之前。")
    return redirect("portal:import-detail", batch.pk)


@requires(Permission.ROSTER_IMPORT)
@require_GET
def import_errors(request: SignedInRequest, pk: int) -> HttpResponse:
    """The error workbook: the original rows with 错误原因."""
    batch = get_object_or_404(_visible(request.user).select_related("errors_file"), pk=pk)
    if batch.errors_file is None:
        raise Http404
    return attachment(stored_file_read(stored=batch.errors_file), batch.errors_file.name)


@requires(Permission.ROSTER_IMPORT)
@require_GET
def import_template(request: SignedInRequest) -> HttpResponse:
    """The roster template."""
    return attachment(template(), "花名册模板.xlsx")


def _visible(user: User) -> QuerySet[ImportBatch]:
    """Own batches, and those of users all of whose areas lie within one's own."""
    within = in_areas(Assignment.objects.all(), user.area_prefixes(), "area__code").values("user_id")
    outside = Assignment.objects.exclude(
        pk__in=in_areas(Assignment.objects.all(), user.area_prefixes(), "area__code")
    )
    theirs = Q(created_by__in=within) & ~Q(created_by__in=outside.values("user_id"))
    return ImportBatch.objects.filter(Q(created_by=user) | theirs)


def _view_of(batch: ImportBatch) -> dict[str, Any]:
    """Step of the three, counts and groups as the page shows them."""
    working = batch.job is not None and not batch.job.is_over
    state = ImportBatch.State(batch.state)
    step = 3 if state in {ImportBatch.State.COMMITTED, ImportBatch.State.UNDONE} else 2
    return {"working": working, "step": step, "counts": batch.counts, "report": batch.report}
