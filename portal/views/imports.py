"""Roster files: upload, check, commit, result, undo."""

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from eldercare.models import ImportBatch
from eldercare.roster.template import roster_template
from eldercare.services.roster import RosterRefused, roster_discard, roster_undo
from operations.services.audit import audit_record
from operations.services.stored_file import stored_file_read
from organization.addresses import client_address
from organization.choices import Permission
from organization.models import Assignment, User
from organization.permissions import SignedInRequest, requires
from organization.querysets import in_areas
from portal.exports import attachment
from portal.forms import UploadForm
from portal.roster_jobs import roster_check_request, roster_commit_request

LISTED = 50


@requires(Permission.ROSTER_IMPORT)
@require_http_methods(["GET", "POST"])
def import_list(request: SignedInRequest) -> HttpResponse:
    """The upload form above the batches so far; a refused file is answered on the form."""
    form = UploadForm(request.POST or None, request.FILES or None, initial={"as_of": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        file, as_of = form.cleaned_data["file"], form.cleaned_data["as_of"]
        try:
            batch = roster_check_request(name=file.name, content=file.read(), as_of=as_of, user=request.user)
        except RosterRefused as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("portal:import-detail", batch.pk)
    batches = _visible(request.user).select_related("file", "created_by", "job")[:LISTED]
    context = {"form": form, "batches": batches}
    return render(request, "portal/import_list.html", context, status=400 if form.errors else 200)


@requires(Permission.ROSTER_IMPORT)
@require_GET
def import_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Where a batch stands: checking, preview, committing, result, undone."""
    batches = _visible(request.user).select_related("file", "job", "created_by")
    batch = get_object_or_404(batches, pk=pk)
    context = {
        "batch": batch,
        "working": batch.job is not None and not batch.job.is_over,
        "counts": batch.counts,
        "report": batch.report,
    }
    return render(request, "portal/import_detail.html", context)


@requires(Permission.ROSTER_IMPORT)
@require_POST
def import_commit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Have the checked batch written in the chosen mode; a second click finds it under way or done."""
    batch = get_object_or_404(_visible(request.user), pk=pk)
    try:
        mode = ImportBatch.Mode(request.POST.get("mode", ""))
        roster_commit_request(batch=batch, mode=mode, user=request.user)
    except RosterRefused as refusal:
        messages.error(request, str(refusal))
    except ValueError:
        messages.error(request, "请选择入库方式。")
    return redirect("portal:import-detail", batch.pk)


@requires(Permission.ROSTER_IMPORT)
@require_POST
def import_discard(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give up a checked batch: nothing is written."""
    batch = get_object_or_404(_visible(request.user), pk=pk)
    try:
        roster_discard(batch=batch)
    except RosterRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("portal:import-detail", batch.pk)


@requires(Permission.ROSTER_IMPORT)
@require_POST
def import_undo(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a committed batch back, or say what rests on it."""
    batch = get_object_or_404(_visible(request.user), pk=pk)
    try:
        roster_undo(batch=batch, actor=request.user)
    except RosterRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("portal:import-detail", batch.pk)


@requires(Permission.ROSTER_IMPORT)
@require_GET
def import_errors(request: SignedInRequest, pk: int) -> HttpResponse:
    """The error workbook: the original rows with 错误原因. It is unmasked: taking another's is audited."""
    batch = get_object_or_404(_visible(request.user).select_related("errors_file"), pk=pk)
    if batch.errors_file is None:
        raise Http404
    if batch.created_by_id != request.user.pk:
        audit_record(
            action="import_errors",
            subject=f"导入批次 {batch.pk}",
            actor=request.user,
            data={"file": batch.errors_file.name, "errors": batch.counts.get("errors", 0)},
            address=client_address(request),
        )
    return attachment(stored_file_read(stored=batch.errors_file), batch.errors_file.name)


@requires(Permission.ROSTER_IMPORT)
@require_GET
def import_template(request: SignedInRequest) -> HttpResponse:
    """The roster template."""
    return attachment(roster_template(), "花名册模板.xlsx")


def _visible(user: User) -> QuerySet[ImportBatch]:
    """Own batches, and those of users all of whose areas lie within one's own."""
    within = in_areas(Assignment.objects.all(), user.area_prefixes(Permission.ROSTER_IMPORT), "area__code")
    outside = Assignment.objects.exclude(pk__in=within)
    theirs = Q(created_by__in=within.values("user_id")) & ~Q(created_by__in=outside.values("user_id"))
    return ImportBatch.objects.filter(Q(created_by=user) | theirs)
