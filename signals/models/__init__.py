"""The ledger's tables, and those of generation, calibrations, keys, acts, sums, spellings, health,
nodes, the sequence, the record, watched logs, trials and alerts."""

from signals.models.act import Act
from signals.models.alert import Alert, AlertClaim, AlertCursor, Sender
from signals.models.api_key import ApiKey
from signals.models.calibration import CalibrationRecord
from signals.models.candidate import CandidateRecord
from signals.models.health import DiskSample, Heartbeat, OpenProblem
from signals.models.instant import SignalInstant
from signals.models.instrument import InstrumentSpelling
from signals.models.journal import DeadLetter, JournalCursor
from signals.models.node import Node
from signals.models.record import (
    RecordCheckpoint,
    RecordCosignature,
    RecordCursor,
    RecordEntry,
    RecordHead,
    RecordName,
    RecordRun,
)
from signals.models.sequence import (
    LateEntry,
    SequenceCursor,
    SequenceEntry,
    SequenceHead,
    SequenceRun,
)
from signals.models.signal import (
    CHANGEABLE,
    AppendOnly,
    OutcomeChange,
    Signal,
    SignalContext,
)
from signals.models.sums import SignalSum, SumCursor
from signals.models.trial import Trial
from signals.models.witness import WatchedLog

__all__ = [
    "CHANGEABLE",
    "Act",
    "Alert",
    "AlertClaim",
    "AlertCursor",
    "ApiKey",
    "AppendOnly",
    "CalibrationRecord",
    "CandidateRecord",
    "DeadLetter",
    "DiskSample",
    "Heartbeat",
    "InstrumentSpelling",
    "JournalCursor",
    "LateEntry",
    "Node",
    "OpenProblem",
    "OutcomeChange",
    "RecordCheckpoint",
    "RecordCosignature",
    "RecordCursor",
    "RecordEntry",
    "RecordHead",
    "RecordName",
    "RecordRun",
    "Sender",
    "SequenceCursor",
    "SequenceEntry",
    "SequenceHead",
    "SequenceRun",
    "Signal",
    "SignalContext",
    "SignalInstant",
    "SignalSum",
    "SumCursor",
    "Trial",
    "WatchedLog",
]
