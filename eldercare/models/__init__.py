"""Models of the registry."""

from eldercare.models.circumstance import Circumstance
from eldercare.models.elder import BankAccount, Contact, Elder
from eldercare.models.import_batch import ImportBatch
from eldercare.models.monthly_facts import MonthlyFacts

__all__ = ["BankAccount", "Circumstance", "Contact", "Elder", "ImportBatch", "MonthlyFacts"]
