"""The results of a verification."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

Progress = Callable[[int], object]
"""Called with the number of rows or lines just checked."""


HASH, LINE = "hash", "line"
HASH_DIFFERS = "does not match its own hash"


class Kind(StrEnum):
    ALTERED = "altered"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Finding(NamedTuple):
    """A signal that was altered, is missing from the database, or is unknown to the journal."""

    kind: Kind
    signal_id: str
    detail: str

    @property
    def part(self) -> str:
        """Return what does not agree with the row: its `hash`, or its `line` in the journal."""
        return HASH if self.detail == HASH_DIFFERS else LINE


@dataclass
class Verification:
    """How much was checked, and the findings.

    `elsewhere` counts rows from the journals of other machines: only their hashes can be checked
    here. `pending` counts lines that are not in the database yet. `sums` has a sentence for each
    sum that differs from the signals.
    """

    rows: int = 0
    lines: int = 0
    elsewhere: int = 0
    pending: int = 0
    sums: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
