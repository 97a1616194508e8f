"""Follows revealed lines in the order of the record: signals, repeats, and how signals ended."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signals.record.formats.encoding import BadRecord
from signals.record.formats.entries import LINES, Entry, digest_of
from signals.record.verifier.lines import (
    PAST_ORIGINS,
    ChangeLine,
    SignalLine,
    State,
    parse_line,
    profit_loss_pct,
)
from signals.record.verifier.report import Report

SHOWN = ("symbol", "action", "entry_price", "stop_price", "target_price", "confidence", "strategy")
"""Fields of a signal that its reader sees."""
NEGLIGIBLE_PCT = 1e-6
"""A profit or loss in percent below which a signal broke even."""


@dataclass(frozen=True, slots=True)
class Revealed:
    """A journal line that the maker of a bundle shows, without its newline."""

    index: int
    salt: bytes
    line: bytes


@dataclass(frozen=True, slots=True)
class Followed:
    """A signal of the record, and the changes of its outcome."""

    index: int
    kind: str
    signal: SignalLine
    changes: list[tuple[int, ChangeLine]]

    @property
    def strategy(self) -> str:
        return str(self.signal.fields["strategy"])

    def final_state(self) -> State:
        """Return how the signal stands after its last change by time.

        One with a result has ended, even if nobody named its outcome: else a loss could be hidden.
        """
        state = _in_order(self.changes)[-1][1].after if self.changes else self.signal.state
        percent = state["profit_loss_pct"]
        if state["outcome"] is None and percent is not None:
            return state | {"outcome": outcome_of(percent)}
        return state

    def as_json(self) -> dict[str, Any]:
        """Return the signal and how it ended, by its lines; `ended_at` is the last change's."""
        changes = _in_order(self.changes)
        named = {name: self.signal.fields[name] for name in SHOWN}
        return {
            "index": self.index,
            "signal_id": self.signal.signal_id,
            "kind": self.kind,
            **named,
            "received_at": self.signal.received_at,
            **self.final_state(),
            "ended_at": changes[-1][1].received_at if changes else None,
            "ended_by": changes[-1][1].who if changes else None,
        }


class History:
    """Collects the revealed lines of a range of entries, and checks each."""

    def __init__(self, entries: Mapping[int, Entry], report: Report) -> None:
        self._entries = entries
        self._report = report
        self._lines: dict[int, SignalLine | ChangeLine | None] = {}
        self.signals: dict[str, Followed] = {}
        self.repeats = 0

    def add(self, revealed: Revealed) -> None:
        """Compare a line with its entry; note what is wrong."""
        index, entry = revealed.index, self._entries.get(revealed.index)
        if entry is None or entry.kind not in LINES:
            self._report.fault("line", "a line is shown, and the entry is not of one", index)
        elif index in self._lines:
            self._report.fault("line", "two lines are shown", index)
        elif digest_of(revealed.salt, revealed.line) != entry.digest:
            self._report.fault("digest", "the line and its salt do not make the digest", index)
        else:
            self._lines[index] = self._read(index, entry, revealed.line)

    def hidden(self, kind: str) -> int:
        """Return how many entries of a kind have no line that was accepted."""
        return sum(
            entry.kind == kind and index not in self._lines
            for index, entry in self._entries.items()
        )

    def follow(self) -> None:
        """Join the lines to signals and their changes; check how each signal ended."""
        lines = sorted(self._lines.items())
        for index, line in lines:
            if isinstance(line, SignalLine):
                self._add_signal(index, line)
        for index, line in lines:
            if isinstance(line, ChangeLine):
                self._add_change(index, line)
        all_shown = not self.hidden("outcome") + self.hidden("history")
        for followed in self.signals.values():
            check_outcomes(followed, self._report, all_shown=all_shown)

    def _read(self, index: int, entry: Entry, data: bytes) -> SignalLine | ChangeLine | None:
        try:
            line = parse_line(data)
        except BadRecord as error:
            self._report.remark(f"entry {index} is a line that {error}; it counts for nothing")
            return None
        self._check_entry(index, entry, line)
        return line

    def _check_entry(self, index: int, entry: Entry, line: SignalLine | ChangeLine) -> None:
        is_signal = isinstance(line, SignalLine)
        if entry.kind != "history" and (entry.kind == "signal") is not is_signal:
            self._report.fault("kind", f"a line of another kind is entered as {entry.kind}", index)
        if entry.kind != "history" and line.received_at != entry.at:
            message = f"was received at {line.received_at!r} by its line, and at {entry.at} here"
            self._report.fault("time", message, index)
        if isinstance(line, SignalLine):
            self._check_signal(index, entry, line)

    def _check_signal(self, index: int, entry: Entry, line: SignalLine) -> None:
        if entry.kind == "signal" and line.origin in PAST_ORIGINS:
            message = f"comes from {line.origin}, which is history, and is entered as received live"
            self._report.fault("origin", message, index)
        if line.is_whole:
            return
        message = f"the signal {line.signal_id!r} has not the hash that it names"
        if entry.kind == "signal":
            self._report.fault("hash", message, index)
        else:
            self._report.remark(f"entry {index}: {message}; it is history, taken as it was")

    def _add_signal(self, index: int, line: SignalLine) -> None:
        if line.signal_id in self.signals:
            self.repeats += 1
        else:
            kind = self._entries[index].kind
            self.signals[line.signal_id] = Followed(index, kind, line, [])

    def _add_change(self, index: int, line: ChangeLine) -> None:
        followed = self.signals.get(line.signal_id)
        if followed is None:
            signal_id = f"the signal {line.signal_id!r}"
            self._report.remark(f"entry {index} changes {signal_id}, which is not shown here")
        elif followed.signal.fields.get("sha256") != line.sha256:
            message = f"changes another signal of the id {line.signal_id!r}"
            self._report.fault("outcome", message, index)
        else:
            followed.changes.append((index, line))


def check_outcomes(followed: Followed, report: Report, *, all_shown: bool) -> None:
    """Compute each outcome again; see that the changes follow each other without a gap."""
    state = followed.signal.state
    for index, change in _in_order(followed.changes):
        if change.before != state:
            message = f"the outcome of {change.signal_id!r} was another before this change"
            if all_shown:
                report.fault("outcome", f"{message}, and no entry says when it changed", index)
            else:
                report.remark(f"entry {index}: {message}; what changed it may not be shown")
        state = change.after
        for fault in outcome_faults(followed.signal, state):
            report.fault("outcome", fault, index)
    if followed.kind == "signal" and not followed.changes:
        for fault in outcome_faults(followed.signal, state):
            report.fault("outcome", fault, followed.index)


def outcome_faults(signal: SignalLine, state: State) -> list[str]:
    """Return what is wrong with an outcome, by the seed's formula."""
    name, exit_price, stated = (state[key] for key in ("outcome", "exit_price", "profit_loss_pct"))
    who = f"the signal {signal.signal_id!r}"
    if exit_price is None:
        return [] if stated is None else [f"{who} has a profit or loss and no exit price"]
    action, entry_price = str(signal.fields["action"]), float(signal.fields["entry_price"])
    percent = profit_loss_pct(action, entry_price, float(exit_price))
    if stated is None or not math.isclose(percent, stated, rel_tol=1e-9, abs_tol=1e-12):
        return [f"{who} made {percent:+.6g}%, and the line says {stated}"]
    if name not in (None, "expired", outcome_of(percent)):
        return [f"{who} made {percent:+.6g}%, which is {outcome_of(percent)}, not {name!r}"]
    return []


def outcome_of(percent: float) -> str:
    """Return the outcome that a profit or loss in percent is."""
    if abs(percent) < NEGLIGIBLE_PCT:
        return "breakeven"
    return "win" if percent > 0 else "loss"


def _in_order(changes: Sequence[tuple[int, ChangeLine]]) -> list[tuple[int, ChangeLine]]:
    """Return changes by their time: nodes enter theirs independently of each other."""
    return sorted(changes, key=lambda each: (each[1].received_at, each[0]))
