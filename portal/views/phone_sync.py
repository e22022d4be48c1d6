"""What a phone asks the server in the background: its list, its records, its photos, a number to call.

Answers are JSON, refusals too: {"detail": a sentence}. Signing in is left to the phone's own page.
"""

import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.utils import timezone

from operations.commands import Refused
from organization.addresses import client_address
from organization.choices import Permission
from organization.models import User
from organization.permissions import SignedInRequest, user_may
from visits.cells import ZONE
from visits.phone_list import elder_called, phone_data, phone_figures
from visits.phone_record import RecordFault, read_sync
from visits.services.phone_reveal import phones_reveal
from visits.services.photo import PHOTO_BYTES, photo_store
from visits.services.replay import visits_replay
from visits.services.sync import visits_sync

BODY: Final = 1024 * 1024
SIGNED_OUT: Final = "登录已过期，请重新登录；没有上传的记录还在手机里"
NOT_ALLOWED: Final = "没有「{permission}」的权限；请系统管理员核对您的角色"
NOT_JSON: Final = "上传内容不完整或不是 JSON；请重试，仍不行请更新手机程序"
CALLING: Final = "手机上拨打电话"
TOO_LARGE: Final = "上传内容超过 {size} KB；请减少每次上传的记录，或压缩照片后再传"

View = Callable[..., HttpResponse]


def phone_api(
    method: str, permission: Permission = Permission.VISIT_RECORD, limit: int = BODY
) -> Callable[[View], View]:
    """Declare a background route: its method, who may use it, and how many bytes it takes."""

    def decorate(view: View) -> View:
        @wraps(view)
        def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not isinstance(request.user, User):
                return _refusal(HTTPStatus.UNAUTHORIZED, SIGNED_OUT)
            for needed in (Permission.VISIT_RECORD, permission):
                if not user_may(request.user, needed):
                    return _refusal(HTTPStatus.FORBIDDEN, NOT_ALLOWED.format(permission=needed.label))
            if request.method != method:
                refusal = _refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"这个地址只接受 {method}；请更新手机程序")
                refusal.headers["Allow"] = method
                return refusal
            if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
                return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE.format(size=limit // 1024))
            try:
                return view(request, *args, **kwargs)
            except (BadRequest, RecordFault, Refused) as error:
                return _refusal(HTTPStatus.BAD_REQUEST, str(error))

        gate.permission = permission  # type: ignore[attr-defined]  # read by the route inventory test
        return gate

    return decorate


@phone_api("GET")
def data(request: SignedInRequest) -> JsonResponse:
    """Whom to visit, the server's figures, what was returned: all that the phone keeps."""
    return JsonResponse({**phone_data(user=request.user, now=timezone.now()), "csrf": get_token(request)})


@phone_api("POST")
def sync(request: SignedInRequest) -> JsonResponse:
    """Take in records; a result for each."""
    now = timezone.now()
    answer = visits_sync(request=read_sync(_json(request)), user=request.user, now=now)
    return JsonResponse(
        {
            "server_time": now,
            "replay": answer.replay,
            "figures": phone_figures(user=request.user, today=now.astimezone(ZONE).date()),
            "results": [result._asdict() for result in answer.results],
        }
    )


@phone_api("POST", limit=2 * BODY)  # sealed and in base64, records are longer than they were
def replay(request: SignedInRequest) -> JsonResponse:
    """Take back what a restored server lost."""
    given = _json(request)
    receipts = given.get("receipts") if isinstance(given, dict) else None
    results = visits_replay(receipts=receipts, actor=request.user, now=timezone.now())
    return JsonResponse({"results": [result._asdict() for result in results]})


@phone_api("PUT", limit=PHOTO_BYTES)
def photo(request: SignedInRequest, photo_id: UUID) -> JsonResponse:
    """Keep a photo of one of the user's visits; 404 as long as the visit has not come in."""
    try:
        visit_id = UUID(request.GET.get("visit", ""))
    except ValueError:
        raise BadRequest("visit：不是探访记录编号；请更新手机程序") from None
    state = photo_store(photo_id=photo_id, visit_id=visit_id, content=request.body, user=request.user)
    if state is None:
        return _refusal(HTTPStatus.NOT_FOUND, "探访记录还没有入库；照片留在手机里，稍后再传")
    return JsonResponse({"state": state})


@phone_api("POST", permission=Permission.PHONE_REVEAL)
def call(request: SignedInRequest) -> JsonResponse:
    """Give the whole number of somebody to be visited; audited."""
    given = _json(request)
    ref = given.get("ref") if isinstance(given, dict) else None
    elder = elder_called(ref=ref if isinstance(ref, str) else "", user=request.user)
    if elder is None:
        return _refusal(HTTPStatus.NOT_FOUND, "名单里没有此人；请刷新名单后再打")
    phones = phones_reveal(elder=elder, reason=CALLING, actor=request.user, address=client_address(request))
    return JsonResponse({"phone": phones[0][1]})


def _json(request: HttpRequest) -> Any:
    """The body as JSON; numbers that are none, such as NaN, make it unreadable."""
    try:
        return json.loads(request.body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadRequest(NOT_JSON) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _refusal(status: HTTPStatus, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status)
