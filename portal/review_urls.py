"""Routes of the monthly review by exception."""

from django.urls import URLPattern, URLResolver

pages: list[URLPattern | URLResolver] = []
