"""Models of visits."""

from visits.models.call_back import CallBack, CallBackDraw, Signal
from visits.models.caseload import Caseload
from visits.models.follow_up import FollowUp, FollowUpStep
from visits.models.month import RateSnapshot, VisitMonth
from visits.models.obligation import Obligation
from visits.models.phone import PhoneState
from visits.models.visit import Finding, Visit, VisitPhoto, VisitReturn

__all__ = [
    "CallBack",
    "CallBackDraw",
    "Caseload",
    "Finding",
    "FollowUp",
    "FollowUpStep",
    "Obligation",
    "PhoneState",
    "RateSnapshot",
    "Signal",
    "Visit",
    "VisitMonth",
    "VisitPhoto",
    "VisitReturn",
]
