"""A signal log in memory, for replays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from signals.clock import Clock, utc_now
from signals.ledger.records import Receipt, encode


@dataclass
class MemoryLog:
    """Keeps the signals and the times of its clock; fails once it has `full_at` signals."""

    clock: Clock = utc_now
    signals: list[dict[str, Any]] = field(default_factory=list)
    received: list[datetime] = field(default_factory=list)
    flushes: list[int] = field(default_factory=list)
    full_at: int = 10**9

    def accept(self, signals: Iterable[Mapping[str, object]], /) -> Sequence[Receipt]:
        batch = [dict(signal) for signal in signals]
        if len(self.signals) + len(batch) > self.full_at:
            raise OSError("disk full")
        self.signals += batch
        self.received += [self.clock()] * len(batch)
        return [encode(signal, utc_now(), "memory")[0] for signal in batch]

    def receipt(self, signal: Mapping[str, object], /) -> Receipt:
        return encode(signal, utc_now(), "memory")[0]

    def flush(self) -> None:
        self.flushes.append(len(self.signals))
