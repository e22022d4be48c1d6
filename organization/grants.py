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
VISITING: Final = frozenset({Permission.VISIT_VIEW, Permission.FOLLOW_UP, Permission.PHONE_REVEAL})

GRANTS: Final[dict[Role, frozenset[Permission]]] = {
    Role.VILLAGE_WORKER: CASEWORK
    | VISITING
    | {Permission.APPLICATION_MAKE, Permission.CERTIFY, Permission.VISIT_RECORD},
    Role.TOWNSHIP_CLERK: CASEWORK
    | MONTH
    | LISTS
    | PAYMENT
    | VISITING
    | {
        Permission.ROSTER_IMPORT,
        Permission.APPLICATION_MAKE,
        Permission.ENROLMENT_CHANGE,
        Permission.CERTIFY,
        Permission.VISIT_RECORD,
        Permission.VISIT_IMPORT,
        Permission.VISIT_ASSIGN,
        Permission.VISIT_URGE,
    },
    Role.TOWNSHIP_LEAD: CASEWORK
    | MONTH
    | LISTS
    | PAYMENT
    | VISITING
    | {
        Permission.APPLICATION_CHECK,
        Permission.BATCH_CHECK,
        Permission.VISIT_ASSIGN,
        Permission.VISIT_URGE,
        Permission.VISIT_RETURN,
        Permission.VISIT_SUBMIT,
        Permission.CALL_BACK,
    },
    Role.BUREAU_CLERK: CASEWORK
    | MONTH
    | LISTS
    | PAYMENT
    | VISITING
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
        Permission.VISIT_IMPORT,
        Permission.VISIT_URGE,
        Permission.VISIT_RETURN,
        Permission.VISIT_ACCEPT,
        Permission.CALL_BACK,
        Permission.TIER_MANAGE,
    },
    Role.BUREAU_CHIEF: CASEWORK
    | MONTH
    | LISTS
    | PAYMENT
    | {
        Permission.VISIT_VIEW,
        Permission.VISIT_URGE,
        Permission.VISIT_ACCEPT,
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
    Role.DEPARTMENT: CASEWORK | {Permission.FOLLOW_UP},
    Role.DATA_ADMIN: CASEWORK | LISTS | {Permission.ROSTER_IMPORT},
    Role.SUPERVISOR: CASEWORK
    | {
        Permission.MONTH_VIEW,
        Permission.AUDIT_VIEW,
        Permission.PAYMENT_VIEW,
        Permission.LEDGER_VIEW,
        Permission.VISIT_VIEW,
    },
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
