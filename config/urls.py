"""Every route of the portal."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("portal.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "portal.views.errors.server_error"
