"""Anomalies as lists show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from portal.places import place_names
from subsidies.choices import AnomalyKind, AnomalyState
from subsidies.models import Anomaly
from subsidies.reported import REPORTS

TONES: Final = {AnomalyState.OPEN: "attention", AnomalyState.CLEARED: "good", AnomalyState.HELD: "danger"}
#: what cannot be put right by letting it through → what ends it
REMEDIES: Final = {AnomalyKind.NO_ACCOUNT: "补录账户后自动消除"} | dict.fromkeys(
    REPORTS, "在“跟进”中核实后自动消除"
)


@dataclass(frozen=True)
class AnomalyRow:
    """One anomaly. item: '' where it concerns all lines; remedy: what ends it, '' where a decision does."""

    anomaly: Anomaly
    place: str
    item: str
    tone: str
    remedy: str


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
            REMEDIES.get(AnomalyKind(row.kind), ""),
        )
        for row in anomalies
    ]
