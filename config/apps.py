"""The portal's own admin site in place of Django's."""

from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    """Django admin with the portal's title and Chinese headings."""

    default_site = "config.admin.PortalAdminSite"
