"""Models of the registry."""

from eldercare.models.circumstance import Circumstance
from eldercare.models.elder import BankAccount, Contact, Elder
from eldercare.models.import_batch import ImportBatch, ImportChange
from eldercare.models.monthly_facts import MonthlyFacts
from eldercare.models.staging import StagedCircumstance, StagedRow

__all__ = [
    "BankAccount",
    "Circumstance",
    "Contact",
    "Elder",
    "ImportBatch",
    "ImportChange",
    "MonthlyFacts",
    "StagedCircumstance",
    "StagedRow",
]
