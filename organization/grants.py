"""Which role may do what.

三员分立 (等保 8.1.4.2.d): system, security and audit administrators see no elder.
"""

from collections.abc import Set
from typing import Final

from organization.choices import Permission, Role

CASEWORK: Final = frozenset({Permission.SIGNED_IN, Permission.ELDER_VIEW, Permission.CATALOG_VIEW})
LISTS: Final = frozenset({Permission.ELDER_EXPORT, Permission.ELDER_REVEAL})
MONTH: Final = frozenset({Permission.MONTH_VIEW, Permission.MONTH_EXPORT})

PAYMENT: Final = frozenset({Permission.PAYMENT_VIEW, Permission.PAYMENT_EXPORT})

GRANTS: Final[dict[Role, frozenset[Permission]]] = {
    Role.VILLAGE_WORKER: CASEWORK | {Permission.APPLICATION_MAKE, Permission.CERTIFY},
    Role.TOWNSHIP_CLERK: CASEWORK
    | MONTH
    | LISTS
    | PAYMENT
    | {
        Permission.ROSTER_IMPORT,
        Permission.APPLICATION_MAKE,
        Permission.ENROLMENT_CHANGE,
        Permission.CERTIFY,
    },
    Role.TOWNSHIP_LEAD: CASEWORK
    | MONTH
    | LISTS
    | PAYMENT
    | {Permission.APPLICATION_CHECK, Permission.BATCH_CHECK},
    Role.BUREAU_CLERK: CASEWORK
    | MONTH
    | LISTS
    | PAYMENT
    | {
        Permission.ROSTER_IMPORT,
        Permission.MONTH_RUN,
        Permission.APPLICATION_MAKE,
        Permission.ENROLMENT_CHANGE,
        Permission.CERTIFY,
        Permission.CERTIFICATION_MANAGE,
        Permission.ANOMALY_DECIDE,
        Permission.BATCH_MAKE,
        Permission.LEDGER_VIEW,
        Permission.TERMS_MANAGE,
        Permission.RECOVERY_MANAGE,
    },
    Role.BUREAU_CHIEF: CASEWORK
    | MONTH
    | LISTS
    | PAYMENT
    | {
        Permission.APPLICATION_APPROVE,
        Permission.BATCH_APPROVE,
        Permission.LEDGER_VIEW,
        Permission.RECOVERY_APPROVE,
    },
    Role.FINANCE: CASEWORK
    | MONTH
    | PAYMENT
    | {
        Permission.BATCH_CONFIRM,
        Permission.BANK_FILE,
        Permission.LEDGER_VIEW,
        Permission.BUDGET_MANAGE,
        Permission.RECOVERY_RECEIVE,
    },
    Role.DEPARTMENT: CASEWORK,
    Role.DATA_ADMIN: CASEWORK | LISTS | {Permission.ROSTER_IMPORT},
    Role.SUPERVISOR: CASEWORK
    | {Permission.MONTH_VIEW, Permission.AUDIT_VIEW, Permission.PAYMENT_VIEW, Permission.LEDGER_VIEW},
    Role.SYSTEM_ADMIN: frozenset({Permission.SIGNED_IN}),
    Role.SECURITY_ADMIN: frozenset({Permission.SIGNED_IN}),
    Role.AUDIT_ADMIN: frozenset({Permission.SIGNED_IN, Permission.AUDIT_VIEW}),
}

OFFICERS: Final = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})


def may_be_joined(roles: Set[str]) -> bool:
    """Tell whether one account may hold all these roles: an administrator of the three holds no other (三员分立).

    >>> may_be_joined({Role.FINANCE, Role.DEPARTMENT}), may_be_joined({Role.FINANCE, Role.AUDIT_ADMIN})
    (True, False)
    """
    return len(roles) < 2 or not roles & OFFICERS
