"""Instruments: one name for each, whatever a sender, a vendor or a broker calls it."""

from signals.market.instruments.catalog import Instruments
from signals.market.instruments.kinds import Kind
from signals.market.instruments.model import Instrument
from signals.market.instruments.own import OwnInstrument, load
from signals.market.instruments.spelling import ALWAYS, FOREX, HOME, METAL_HOURS, NOT_KNOWN
from signals.market.instruments.vendors import ALPACA, spelled_at, spellings

__all__ = [
    "ALPACA", "ALWAYS", "FOREX", "HOME", "METAL_HOURS", "NOT_KNOWN", "Instrument", "Instruments",
    "Kind", "OwnInstrument", "instrument", "load", "spelled_at", "spellings",
]  # fmt: skip

ARGOS = Instruments()
"""What Argo reads without an operator's file."""
instrument = ARGOS.of
"""Return the instrument for a spelling and, if it is given, the sender's asset type."""
