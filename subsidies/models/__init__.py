"""Models of the month, of enrolment and of money."""

from subsidies.models.anomaly import Anomaly
from subsidies.models.bank import BankFile, BankProfile, ReturnFile, ReturnRow
from subsidies.models.batch import Batch, BatchStep, Objection, TownshipCheck
from subsidies.models.certification import Certification, CertificationDue, CertificationRound
from subsidies.models.enrolment import Application, Enrolment, EnrolmentEvent
from subsidies.models.entitlement import Adjustment, Entitlement, ItemCount
from subsidies.models.ledger import LedgerEntry
from subsidies.models.month import Chunk, Month
from subsidies.models.payment import Payment
from subsidies.models.recovery import Recovery, RecoveryEntry, RecoveryLine, RecoveryRequest
from subsidies.models.terms import Appropriation, Funding, PaymentTerms

__all__ = [
    "Adjustment",
    "Anomaly",
    "Application",
    "Appropriation",
    "BankFile",
    "BankProfile",
    "Batch",
    "BatchStep",
    "Certification",
    "CertificationDue",
    "CertificationRound",
    "Chunk",
    "Enrolment",
    "EnrolmentEvent",
    "Entitlement",
    "Funding",
    "ItemCount",
    "LedgerEntry",
    "Month",
    "Objection",
    "Payment",
    "PaymentTerms",
    "Recovery",
    "RecoveryEntry",
    "RecoveryLine",
    "RecoveryRequest",
    "ReturnFile",
    "ReturnRow",
    "TownshipCheck",
]
