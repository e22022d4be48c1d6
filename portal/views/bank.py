"""Files to and from the bank, and paying failed lines again."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from organization.addresses import client_address
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.batch_bank import VERDICTS, verdict_counts
from portal.batch_scope import batch_or_404, covers
from portal.batch_steps import may_take
from portal.exports import attachment
from portal.filtersets import without_position
from portal.forms import faults_of
from portal.paging import SIZES, position_of
from portal.payment_forms import ReturnForm
from portal.views.batch_steps import refused
from subsidies.bank_tasks import bank_file_request, bank_return_request
from subsidies.choices import BatchAction, BatchState, Verdict
from subsidies.models import BankFile, Batch
from subsidies.refusals import MoneyRefusedError
from subsidies.services.bank import bank_file_discard, bank_file_download

OCTETS = "application/octet-stream"


@requires(Permission.BANK_FILE)
@require_POST
def file_start(request: SignedInRequest, pk: int) -> HttpResponse:
    """Have the payment file written in the chosen format; a second click finds it under way or made."""
    batch = batch_or_404(request.user, pk, Permission.BANK_FILE)
    profile = request.POST.get("profile", "")
    if refusal := _not_his(batch, request, BatchAction.FILE):
        return refused(request, pk, refusal)
    if not (profile.isascii() and profile.isdigit()):
        return refused(request, pk, "请选择银行文件的格式。")
    if not BankFile.objects.filter(batch=batch).exists():
        bank_file_request(batch_id=batch.pk, profile_id=int(profile), created_by=request.user)
    return redirect("portal:batch-detail", pk)


@requires(Permission.BANK_FILE)
@require_POST
def file_download(request: SignedInRequest, pk: int) -> HttpResponse:
    """The payment file; every download is counted and audited."""
    batch = batch_or_404(request.user, pk, Permission.BANK_FILE)
    if refusal := _not_his(batch, request, BatchAction.FILE, BatchAction.RETURN):
        return refused(request, pk, refusal)
    file = get_object_or_404(BankFile.objects.select_related("stored"), batch=batch)
    try:
        content = bank_file_download(
            bank_file_id=file.pk, actor=request.user, address=client_address(request)
        )
    except MoneyRefusedError as refusal_error:
        return refused(request, pk, str(refusal_error))
    return attachment(content, file.stored.name, OCTETS)


@requires(Permission.BANK_FILE)
@require_POST
def file_discard(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give up a file that the bank was not told of."""
    batch = batch_or_404(request.user, pk, Permission.BANK_FILE)
    file = get_object_or_404(BankFile, batch=batch)
    try:
        bank_file_discard(bank_file_id=file.pk, actor=request.user, reason=request.POST.get("reason", ""))
    except MoneyRefusedError as refusal:
        return refused(request, pk, str(refusal))
    messages.success(request, "银行文件已作废，可以另选格式重新生成。")
    return redirect("portal:batch-detail", pk)


@requires(Permission.BANK_FILE)
@require_POST
def return_upload(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep a return file and have it imported; the same file again changes nothing."""
    batch = batch_or_404(request.user, pk, Permission.BANK_FILE)
    if refusal := _not_his(batch, request, BatchAction.RETURN):
        return refused(request, pk, refusal)
    form = ReturnForm(request.POST, request.FILES)
    if not form.is_valid():
        return refused(request, pk, "".join(faults_of(form)))
    file = form.cleaned_data["file"]
    bank_return_request(batch_id=batch.pk, name=file.name, content=file.read(), created_by=request.user)
    return redirect("portal:batch-detail", pk)


@requires(Permission.PAYMENT_VIEW)
@require_GET
def return_detail(request: SignedInRequest, pk: int, file_id: int) -> HttpResponse:
    """Rows of a return file by verdict, each with what to do about it."""
    batch = batch_or_404(request.user, pk)
    if not covers(request.user, batch.county_code):
        raise Http404
    file = get_object_or_404(batch.return_files.select_related("uploaded_by"), pk=file_id)
    verdict = request.GET.get("verdict", "")
    rows = file.results.select_related("payment__elder", "payment__item").order_by("number")
    if verdict in Verdict.values:
        rows = rows.filter(verdict=verdict)
    size = position_of(request.GET).size
    page = Paginator(rows, size).get_page(request.GET.get("page"))
    context = {
        "batch": batch,
        "file": file,
        "counts": verdict_counts(file),
        "verdict": verdict,
        "advice": VERDICTS[verdict][1] if verdict in VERDICTS else "",
        "rows": [(row, *VERDICTS[row.verdict]) for row in page.object_list],
        "page": page,
        "size": size,
        "sizes": SIZES,
        "kept": without_position(request.GET),
    }
    return render(request, "portal/return_detail.html", context)


def _not_his(batch: Batch, request: SignedInRequest, *actions: BatchAction) -> str:
    """Why the user may take none of these steps in the batch's state; '' if he may take one."""
    steps = list(batch.steps.all())
    answers = [may_take(batch, request.user, steps, action) for action in actions]
    if "" in answers:
        return ""
    if batch.state == BatchState.VOID:
        return "这一批已作废。"
    return next(filter(None, answers), f"这一批现在是“{batch.get_state_display()}”，不能办理这一步。")
