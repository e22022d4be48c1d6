"""Where 探访 begins."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET

from organization.choices import Permission
from organization.permissions import SignedInRequest, requires, user_may


@requires(Permission.VISIT_VIEW)
@require_GET
def visit_home(request: SignedInRequest) -> HttpResponse:
    """Who sees to it that people are visited begins with whom is still to be visited, others with the rate."""
    if user_may(request.user, Permission.VISIT_RECORD) or user_may(request.user, Permission.VISIT_URGE):
        return redirect("portal:visit-people", f"{timezone.localdate():%Y-%m}")
    return redirect("portal:visit-rates-newest")
