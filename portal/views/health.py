"""Health of the process and of what it needs."""

import ipaddress
from typing import Final

import redis
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from operations.services.job import jobs_waiting
from organization.permissions import public

BACKLOG: Final = 50


@public
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return HttpResponse("ok", content_type="text/plain", headers={"Cache-Control": "no-store"})


@public
def readyz(request: HttpRequest) -> HttpResponse:
    """Database and queue answer (200, else 503); details, the workers among them, only for this machine."""
    checks = {"database": _database(), "redis": _redis()}
    ready = all(checks.values())
    body: dict[str, object] = {"ready": ready}
    if _is_local(request):
        body |= {"checks": checks | _workers(checks)}
    return JsonResponse(body, status=200 if ready else 503, headers={"Cache-Control": "no-store"})


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _workers(checks: dict[str, bool]) -> dict[str, object]:
    """Number of workers that answer within half a second, and jobs that wait; None when it cannot be asked."""
    return {
        "workers": len(current_app.control.ping(timeout=0.5) or ()) if checks["redis"] else None,
        "jobs_waiting": min(len(jobs_waiting()), BACKLOG) if checks["database"] else None,
    }


def _is_local(request: HttpRequest) -> bool:
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = "HTTP_X_FORWARDED_FOR" in request.META
    try:
        return not forwarded and (not address or ipaddress.ip_address(address).is_loopback)
    except ValueError:
        return False
