"""Where 探访 begins."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from organization.choices import Permission
from organization.permissions import SignedInRequest, requires, user_may
from visits.people import MINE


@requires(Permission.VISIT_VIEW)
@require_GET
def visit_home(request: SignedInRequest) -> HttpResponse:
    """Who visits begins with his own people, who sees to it with everybody's, others with the rate."""
    people = reverse("portal:visit-people", args=[timezone.localdate().replace(day=1)])
    if user_may(request.user, Permission.VISIT_URGE):
        return redirect(people)
    if user_may(request.user, Permission.VISIT_RECORD):
        return redirect(f"{people}?{urlencode({'worker': MINE})}")
    return redirect("portal:visit-rates-newest")
