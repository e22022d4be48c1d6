"""Rights in the admin site follow from the portal's roles: nobody keeps a second list of permissions."""

from typing import Any, Final

from django.contrib.auth.backends import BaseBackend

from organization.choices import Role
from organization.models import User

# 三员分立 (等保 8.1.4.2.d): who keeps accounts does not grant roles, who grants roles does not read the audit.
ADMIN_MODELS: Final[dict[Role, frozenset[str]]] = {
    Role.SYSTEM_ADMIN: frozenset({"organization.area", "organization.bureau", "organization.user"}),
    Role.SECURITY_ADMIN: frozenset({"organization.assignment"}),
    Role.AUDIT_ADMIN: frozenset({"operations.auditentry"}),
    Role.DATA_ADMIN: frozenset(
        {
            "organization.area",
            "organization.bureau",
            "organization.letterhead",
            "catalog.document",
            "catalog.item",
            "catalog.itemversion",
            "catalog.datedvalue",
            "catalog.exclusiongroup",
            "catalog.visittier",
            "catalog.target",
            "subsidies.bankprofile",
        }
    ),
}


class RoleBackend(BaseBackend):
    """Answers Django's permission questions («app.action_model») from the user's roles."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Tell whether one of the user's roles keeps the model."""
        app, _, codename = perm.partition(".")
        model = f"{app}.{codename.partition('_')[2]}"
        return isinstance(user_obj, User) and user_obj.is_active and model in self._models(user_obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Tell whether one of the user's roles keeps a model of the app."""
        return (
            isinstance(user_obj, User)
            and user_obj.is_active
            and any(model.startswith(f"{app_label}.") for model in self._models(user_obj))
        )

    def _models(self, user: User) -> set[str]:
        return {model for role in user.role_names() for model in ADMIN_MODELS.get(Role(role), frozenset())}
