"""What a verification finds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

Progress = Callable[[int], object]
"""Told how many more rows and lines were looked at."""


class Kind(StrEnum):
    ALTERED = "altered"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Finding(NamedTuple):
    """A signal that was altered, is missing from the database, or is unknown to the journal."""

    kind: Kind
    signal_id: str
    detail: str


@dataclass
class Verification:
    """What was looked at, and what was found.

    `elsewhere` rows came through the journals of other machines: of them only the hash can be
    checked here. `pending` lines are not in the database yet.
    """

    rows: int = 0
    lines: int = 0
    elsewhere: int = 0
    pending: int = 0
    findings: list[Finding] = field(default_factory=list)
