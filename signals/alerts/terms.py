"""A sender as the readers of alerts need it: its mapping, ready to read, and its settings."""

from collections.abc import Mapping as Table
from dataclasses import dataclass
from datetime import timedelta

from signals.alerts.mapping import Mapping, mapping_of
from signals.models import Sender


@dataclass(frozen=True)
class Terms:
    """What a sender has agreed with the operator; `symbols` has its own spellings in capitals."""

    id: int
    name: str
    mapping: Mapping
    symbols: Table[str, str]
    confidence: float
    dedup_window: float
    max_lag: timedelta | None
    needs_certificate: bool


def terms_of(sender: Sender) -> Terms:
    """Return the terms of a sender. Raises InvalidInput if its mapping has a fault."""
    return Terms(
        id=sender.pk,
        name=sender.name,
        mapping=mapping_of(sender.preset, sender.mapping),
        symbols={str(sent).upper(): str(own) for sent, own in sender.symbols.items()},
        confidence=sender.confidence,
        dedup_window=sender.dedup_window,
        max_lag=None if sender.max_lag is None else timedelta(seconds=sender.max_lag),
        needs_certificate=sender.needs_certificate,
    )
