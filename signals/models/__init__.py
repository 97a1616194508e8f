"""The ledger's tables, and those of generation, keys, sums, spellings, health and nodes."""

from signals.models.api_key import ApiKey
from signals.models.candidate import CandidateRecord
from signals.models.health import DiskSample, Heartbeat, OpenProblem
from signals.models.instant import SignalInstant
from signals.models.instrument import InstrumentSpelling
from signals.models.journal import DeadLetter, JournalCursor
from signals.models.node import Node
from signals.models.signal import (
    CHANGEABLE,
    AppendOnly,
    OutcomeChange,
    Signal,
    SignalContext,
)
from signals.models.sums import SignalSum, SumCursor

__all__ = [
    "CHANGEABLE",
    "ApiKey",
    "AppendOnly",
    "CandidateRecord",
    "DeadLetter",
    "DiskSample",
    "Heartbeat",
    "InstrumentSpelling",
    "JournalCursor",
    "Node",
    "OpenProblem",
    "OutcomeChange",
    "Signal",
    "SignalContext",
    "SignalInstant",
    "SignalSum",
    "SumCursor",
]
