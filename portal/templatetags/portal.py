"""How figures, months, icons and links are written on every page."""

import re
from datetime import date
from decimal import Decimal

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from operations.masking import mask_id_number, mask_phone

register = template.Library()
LONG_NUMBER = re.compile(r"[0-9０-９]{11,}[0-9Xx]?")


@register.simple_tag
def icon(name: str) -> SafeString:
    """An outline icon of the sprite, silent for screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("portal/icons.svg"),
        name,
    )


@register.filter
def money(value: Decimal | None) -> str:
    """元 with thousands commas and two decimals; '—' when there is no amount."""
    return "—" if value is None else f"{value:,.2f}"


@register.filter
def count(value: int | None) -> str:
    """A whole number with thousands commas."""
    return "—" if value is None else f"{value:,}"


@register.filter
def month_label(value: date) -> str:
    """2026年11月."""
    return f"{value.year}年{value.month}月"


@register.filter
def month_slug(value: date) -> str:
    """2026-11, as URLs write a month."""
    return f"{value:%Y-%m}"


@register.filter
def hide_numbers(text: object) -> str:
    """A text with every ID, account or phone number in it masked: the first six or three and the last four stay."""
    return LONG_NUMBER.sub(lambda found: _hidden(found[0]), str(text))


@register.filter
def at(mapping: dict[object, object], key: object) -> object:
    """The value under a key; None when there is none."""
    return mapping.get(key)


def _hidden(number: str) -> str:
    return mask_phone(number) if len(number) == 11 else mask_id_number(number)
