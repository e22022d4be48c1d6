"""Routes of certification rounds."""

from django.urls import URLPattern, URLResolver

pages: list[URLPattern | URLResolver] = []
