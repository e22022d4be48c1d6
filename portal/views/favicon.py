"""The icon at the address where browsers look for it unasked."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from organization.permissions import public


@public
@require_safe
def favicon(request: HttpRequest) -> HttpResponseBase:
    """Send on to the icon that the pages name."""
    return redirect(static("portal/favicon.svg"))
