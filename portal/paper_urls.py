"""Routes of printed papers."""

from django.urls import URLPattern, URLResolver

pages: list[URLPattern | URLResolver] = []
