"""A record with signals, outcomes, marks and witnesses, made by the code that makes real ones."""

import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from signals.record.bundle import Enclosed, write_bundle
from signals.record.folder import TileFolder
from signals.record.formats.checkpoints import Checkpoint, digest_of_checkpoint
from signals.record.formats.entries import Entry, digest_of
from signals.record.formats.policy import parse_policy
from signals.record.signing import LogSigner, WitnessSigner, signed_note, with_cosignatures
from signals.record.verifier.check import Asked
from signals.record.verifier.cli import verify
from signals.record.verifier.history import Revealed
from signals.record.verifier.lines import profit_loss_pct
from signals.record.verifier.report import Report

ORIGIN = "argo.example/record"
STRATEGY = "weighted_consensus"
START = datetime(2026, 1, 2, 9, tzinfo=UTC)
LOG = LogSigner(ORIGIN, b"L" * 32)
WITNESSES = [WitnessSigner(f"witness.example/w{n}", bytes([n]) * 32) for n in (1, 2, 3)]
POLICY = "".join(
    [
        f"log {LOG.key}\n",
        *(f"witness w{n} {each.key}\n" for n, each in enumerate(WITNESSES, 1)),
        "group two-of-three 2 w1 w2 w3\nquorum two-of-three\n",
    ]
).encode()
NOTHING = {"outcome": None, "exit_price": None, "profit_loss_pct": None, "order_id": None}


def text_of(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def sealed(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with the signal's own hash."""
    covered = "action confidence entry_price signal_id stop_price strategy symbol target_price"
    text = json.dumps({k: fields[k] for k in [*covered.split(), "timestamp"]}, sort_keys=True)
    return fields | {"sha256": hashlib.sha256(text.encode()).hexdigest()}


class Record:
    """A record that a test fills; its clock goes on by a minute with each entry."""

    def __init__(self, path: Path, log: LogSigner = LOG) -> None:
        self.folder = TileFolder(path)
        self.log = log
        self.now = START
        self.entries: list[bytes] = []
        self.lines: dict[int, Revealed] = {}
        self.signals: dict[str, dict[str, Any]] = {}
        self.checkpoints: list[bytes] = []
        self._written = 0

    def enter(self, kind: str, at: datetime | None = None, **fields: str) -> int:
        """Append an entry; return its index."""
        self.now += timedelta(minutes=1)
        self.entries.append(Entry(text_of(at or self.now), kind, **fields).encoded())
        return len(self.entries) - 1

    def enter_line(self, kind: str, line: bytes, at: datetime | None = None) -> int:
        """Append the entry of a journal line; return its index."""
        salt = hashlib.sha256(b"salt" + line).digest()[:16]
        index = self.enter(kind, at, digest=digest_of(salt, line))
        self.lines[index] = Revealed(index, salt, line)
        return index

    def signal(self, signal_id: str, kind: str = "signal", **changes: Any) -> int:  # noqa: ANN401
        """Enter a signal that has just been received."""
        received = text_of(self.now + timedelta(minutes=1))
        fields = sealed(
            {"symbol": "AAPL", "action": "BUY", "entry_price": 100.0, "target_price": 110.0}
            | {"stop_price": 95.0, "confidence": 80.0, "strategy": STRATEGY, "timestamp": received}
            | {"signal_id": signal_id, "received_at": received, "origin": "api"}
            | changes
        ) | {name: changes[name] for name in ("sha256",) if name in changes}
        self.signals.setdefault(signal_id, fields)
        return self.enter_line(kind, json.dumps(fields).encode())

    def outcome(self, signal_id: str, exit_price: float | None, **changes: Any) -> int:  # noqa: ANN401
        """Enter how a signal ended, as the formula has it; `changes` are to its new state."""
        signal = self.signals[signal_id]
        before = signal.get("state", NOTHING)
        percent = profit_loss_pct(signal["action"], signal["entry_price"], exit_price or 0.0)
        after = before | {"exit_price": exit_price, "profit_loss_pct": percent}
        after |= {"outcome": "win" if percent > 0 else "loss"} | changes
        signal["state"] = after
        line = {
            "signal_id": signal_id,
            "sha256": signal["sha256"],
            "received_at": text_of(self.now + timedelta(minutes=1)),
            "origin": "outcome",
            "change": {"id": "1", "who": "monitor", "why": "", "before": before, "after": after},
        }
        return self.enter_line("outcome", json.dumps(line).encode())

    def checkpoint(
        self, witnesses: Iterable[WitnessSigner] = WITNESSES, *, mark: bool = True
    ) -> bytes:
        """Sign, cosign and publish what was entered; then enter a mark."""
        root = self.folder.append(self._written, self.entries[self._written :])
        self._written = len(self.entries)
        note = signed_note(Checkpoint(self.log.key.name, self._written, root), self.log)
        time = int(self.now.timestamp())
        lines = [each.cosign(note.text, time + n) for n, each in enumerate(witnesses, 1)]
        note = with_cosignatures(note, *lines)
        self.folder.publish(note)
        data = note.encoded()
        self.checkpoints.append(data)
        if mark:
            self.folder.keep(f"checkpoints/{digest_of_checkpoint(data)}", data)
            self.enter("mark", digest=digest_of_checkpoint(data))
        return data

    def bundle(self, first: int = 0, last: int | None = None, **enclosed: Any) -> bytes:  # noqa: ANN401
        """Return the bundle of a range of what the last checkpoint holds."""
        tiles = self.folder.tiles(self._written)
        last = self._written - 1 if last is None else last
        shown = [each for index, each in self.lines.items() if first <= index <= last]
        given: dict[str, Any] = {"lines": shown, "earlier": self.checkpoints[:-1]} | enclosed
        file = io.BytesIO()
        write_bundle(file, tiles, self.checkpoints[-1], first, last, Enclosed(POLICY, **given))
        return file.getvalue()


def fill(record: Record) -> Record:
    """Fill a record honestly: three signals won, two lost, one is open; an hour lies between."""
    record.enter("strategy", note=STRATEGY)
    record.enter("account", note="paper")
    for number, exit_price in enumerate((110.0, 95.0, 110.0, 96.5, 104.0, None)):
        record.signal(f"signal-{number}")
        record.checkpoint()
        record.now += timedelta(minutes=30)
        if exit_price is not None:
            record.outcome(f"signal-{number}", exit_price)
    record.checkpoint(mark=False)
    return record


def honest(path: Path) -> Record:
    """Return an honest record in a folder."""
    return fill(Record(path))


def asked(known: bytes | None = None, policy: bytes = POLICY, **more: Any) -> Asked:  # noqa: ANN401
    """Return what a reader brings."""
    return Asked(parse_policy(policy), known, **more)


def checked(data: bytes, path: Path, known: bytes | None = None, policy: bytes = POLICY) -> Report:
    """Return the report on a bundle."""
    path.write_bytes(data)
    return verify(str(path), asked(known, policy))


def codes(report: Report) -> set[str]:
    """Return the codes of all faults."""
    return {fault.code for fault in report.faults}


def changed(revealed: Revealed, **changes: Any) -> Revealed:  # noqa: ANN401
    """Return a revealed line with something else in it."""
    return replace(revealed, **changes)
