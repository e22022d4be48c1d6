"""What a phone holds instead of keys: an elder's reference that only its user can use, and the user's own."""

from datetime import datetime
from typing import NamedTuple

from django.core.signing import BadSignature, Signer
from django.utils.crypto import salted_hmac

from eldercare.models import Elder
from organization.models import User


class ElderRef(NamedTuple):
    """An elder's key, and the second in which the row was made: a restored database may give the key to another."""

    pk: int
    made: int

    def names(self, pk: int, created_at: datetime) -> bool:
        """Tell whether this row is the one that was meant."""
        return self == (pk, int(created_at.timestamp()))


def ref_of(elder: Elder, user: User) -> str:
    """Return the elder's reference for the user's phone: whoever sends it has got it from here."""
    return _signer(user).sign(f"{elder.pk}-{int(elder.created_at.timestamp())}")


def read_ref(ref: str, user: User) -> ElderRef | None:
    """Return whom a reference means; None if it was not made for this user."""
    try:
        pk, _, made = _signer(user).unsign(ref).partition("-")
    except BadSignature:
        return None
    return ElderRef(int(pk), int(made)) if made else None


def phone_key(user: User) -> str:
    """Return what the user's data are kept under on a phone; it tells nothing about the user."""
    return salted_hmac("visits.phone.key", str(user.pk)).hexdigest()[:32]


def _signer(user: User) -> Signer:
    return Signer(salt=f"visits.phone.{user.pk}")
