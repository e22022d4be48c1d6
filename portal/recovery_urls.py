"""Routes of recovery cases."""

from django.urls import URLPattern, URLResolver

pages: list[URLPattern | URLResolver] = []
