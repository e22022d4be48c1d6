"""The branded admin site: configuration and reference data only."""

from django.contrib.admin import AdminSite


class PortalAdminSite(AdminSite):
    """Chinese titles; business work has its own pages."""

    site_header = "基本养老服务平台 · 配置管理"
    site_title = "基本养老服务平台"
    index_title = "配置与基础数据"
