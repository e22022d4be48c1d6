"""The branded admin site: configuration and reference data only."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


class PortalAdminSite(AdminSite):
    """Chinese titles; business work has its own pages."""

    site_header = "基本养老服务平台 · 配置管理"
    site_title = "基本养老服务平台"
    index_title = "配置与基础数据"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Leave signing in to the portal's one page; who is signed in without a right here gets 403."""
        index = reverse("admin:index", current_app=self.name)
        wanted = request.GET.get("next", "")
        onward = wanted if url_has_allowed_host_and_scheme(wanted, {request.get_host()}) else index
        if not request.user.is_authenticated:
            return redirect_to_login(onward)
        if not self.has_permission(request):
            raise PermissionDenied("进入配置管理")
        return redirect(onward)
