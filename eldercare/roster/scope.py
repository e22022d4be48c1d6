"""Where somebody may import: asked anew at every step, because roles and elders move between them."""

from organization.choices import Permission
from organization.models import User

Scope = tuple[str, ...] | None
"""Area-code prefixes. None: an operator at the console, without limit. Empty: nowhere."""


def scope_of(user: User | None) -> Scope:
    """Return the present scope of a user, read from the database; none for a closed account."""
    if user is None:
        return None
    present = User.objects.get(pk=user.pk)
    return tuple(present.area_prefixes(Permission.ROSTER_IMPORT)) if present.is_active else ()


def inside(alias: str, scope: Scope) -> str:
    """Return the SQL condition that an elder's or staged row's 户籍 or 居住 lies within the scope."""
    if scope is None:
        return "true"
    columns = (f"{alias}.hukou_code", f"{alias}.residence_code")
    parts = [f"starts_with({column}, '{prefix}')" for prefix in scope for column in columns]
    return f"({' OR '.join(parts)})" if parts else "false"
