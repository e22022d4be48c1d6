"""Anomalies as lists show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from portal.places import place_names
from subsidies.choices import AnomalyKind, AnomalyState
from subsidies.models import Anomaly

TONES: Final = {AnomalyState.OPEN: "attention", AnomalyState.CLEARED: "good", AnomalyState.HELD: "danger"}
#: what cannot be put right by letting it through
WITHOUT_REMEDY: Final = frozenset({AnomalyKind.NO_ACCOUNT})


@dataclass(frozen=True)
class AnomalyRow:
    """One anomaly. item: '' where it concerns all lines of the elder."""

    anomaly: Anomaly
    place: str
    item: str
    tone: str
    clearable: bool


def anomaly_rows(anomalies: Iterable[Anomaly]) -> list[AnomalyRow]:
    """Rows of a page; one query for the names of places."""
    anomalies = list(anomalies)
    places = place_names(row.area_code for row in anomalies)
    return [
        AnomalyRow(
            row,
            places.get(row.area_code, ""),
            f"{row.item.code} {row.item.name}" if row.item else "",
            TONES[AnomalyState(row.state)],
            row.kind not in WITHOUT_REMEDY,
        )
        for row in anomalies
    ]
