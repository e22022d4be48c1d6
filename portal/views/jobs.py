"""Progress of a background job, asked for every other second by the page that shows it."""

from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from operations.models import Job
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires, user_may
from portal.scope import place_of
from subsidies.tasks import KIND


@requires(Permission.SIGNED_IN)
@require_GET
def job_progress(request: SignedInRequest, job_id: UUID) -> HttpResponse:
    """Bar and step of a job of mine, or of a month of my county; a finished one makes the page load anew."""
    mine = Q(created_by=request.user)
    if user_may(request.user, Permission.MONTH_VIEW):
        mine |= Q(kind=KIND, params__county_code=place_of(request.user).county_code)
    job = get_object_or_404(Job.objects.filter(mine), pk=job_id)
    response = render(request, "portal/partials/job_progress.html", {"job": job})
    if job.is_over:
        response["HX-Refresh"] = "true"
    return response
