"""The page for a fault: 503 while the database is away, 500 for everything else."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def server_error(request: HttpRequest) -> HttpResponse:
    """Render without context: the frame would ask the database again."""
    gone = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    status = 503 if gone else 500
    headers = {"Retry-After": "60"} if gone else {}
    return HttpResponse(render_to_string(f"{status}.html"), status=status, headers=headers)
