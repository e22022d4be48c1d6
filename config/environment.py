"""Strict readers of the process environment; a secret may also come from a file."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """Value of NAME, or of the file that NAME_FILE points to; without a default it must be set."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"环境变量 {name} 或 {name}_FILE 未设置")
    return value


def flag(name: str, default: bool) -> bool:
    """Yes/no value of NAME: 1/true/yes or 0/false/no."""
    value = os.environ.get(name, "1" if default else "0").lower()
    if value not in {"1", "true", "yes", "0", "false", "no"}:
        raise ImproperlyConfigured(f"环境变量 {name} 应为 1 或 0，现为 {value}")
    return value in {"1", "true", "yes"}


def database(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for postgresql://user:password@host:port/name?host=/socket/folder."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured("DATABASE_URL 应以 postgresql:// 开头")
    query = parse_qs(parts.query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "portal",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", [parts.hostname or ""])[0],
        "PORT": str(parts.port or query.get("port", [""])[0]),
        "OPTIONS": {"options": "-c jit=off -c timezone=Asia/Shanghai"},
    }


def broker(url: str) -> str:
    """Celery's form of REDIS_URL: a unix socket is written redis+socket://."""
    return url.replace("unix://", "redis+socket://", 1) if url.startswith("unix://") else url


def every_night() -> crontab:
    """Beat's schedule for upkeep: 02:10 county time."""
    return crontab(minute="10", hour="2")


def day_start() -> crontab:
    """Beat's schedule for what ends with a day: 00:05 county time."""
    return crontab(minute="5", hour="0")


def month_start() -> crontab:
    """Beat's schedule for opening a month: the 1st, 00:30 county time."""
    return crontab(minute="30", hour="0", day_of_month="1")
