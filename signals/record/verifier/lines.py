"""Reads revealed journal lines: signals with their own hash, and changes of outcomes."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from signals.record.formats.encoding import BadRecord
from signals.record.verifier.strict_json import json_object

NUMBERS = ("confidence", "entry_price", "stop_price", "target_price")
TEXTS = ("action", "signal_id", "strategy", "symbol", "timestamp")
STATE = ("outcome", "exit_price", "profit_loss_pct", "order_id")
PAST_ORIGINS = frozenset({"import", "import-sync", "adopted", "replay"})
"""Origins of what was not received when it happened: such lines are entries of kind `history`."""

State = dict[str, Any]
"""Outcome, exit price, profit or loss in percent, and order of a signal."""


class SignalLine(NamedTuple):
    """A signal as its journal line has it."""

    fields: dict[str, Any]
    received_at: str
    origin: str

    @property
    def signal_id(self) -> str:
        return str(self.fields["signal_id"])

    @property
    def state(self) -> State:
        return {name: self.fields.get(name) for name in STATE}

    @property
    def is_whole(self) -> bool:
        """Return True if the line's own hash holds, as Argo or the older system computes it."""
        sha256 = self.fields.get("sha256")
        return sha256 in (_sha256(self.fields, float), _sha256(self.fields, _whole))


class ChangeLine(NamedTuple):
    """A change of a signal's outcome."""

    signal_id: str
    sha256: str
    received_at: str
    who: str
    before: State
    after: State


def parse_line(line: bytes) -> SignalLine | ChangeLine:
    """Return what a journal line says. Raises BadRecord if it is neither signal nor change."""
    fields = json_object(line)
    received_at, origin = _text(fields, "received_at"), _text(fields, "origin")
    if "change" not in fields:
        _check_signal(fields)
        return SignalLine(fields, received_at, origin)
    about = fields["change"]
    if not isinstance(about, dict):
        raise BadRecord("has a change that is not an object")
    return ChangeLine(
        _text(fields, "signal_id"),
        _text(fields, "sha256"),
        received_at,
        _text(about, "who"),
        _state(about, "before"),
        _state(about, "after"),
    )


def _check_signal(fields: Mapping[str, Any]) -> None:
    for name in TEXTS:
        _text(fields, name)
    for name in (*NUMBERS, "exit_price", "profit_loss_pct"):
        _number(fields, name, optional=name not in NUMBERS)
    _optional_texts(fields)


def _state(about: Mapping[str, Any], name: str) -> State:
    state = about.get(name)
    if not isinstance(state, dict) or not all(key in state for key in STATE):
        raise BadRecord(f"has no state {name!r} with {', '.join(STATE)}")
    for number in ("exit_price", "profit_loss_pct"):
        _number(state, number, optional=True)
    _optional_texts(state)
    return {key: state[key] for key in STATE}


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise BadRecord(f"has no text for {name!r}")
    return value


def _optional_texts(fields: Mapping[str, Any]) -> None:
    for name in ("outcome", "order_id"):
        if not isinstance(fields.get(name), str | None):
            raise BadRecord(f"has something else than text for {name!r}")


def _number(fields: Mapping[str, Any], name: str, *, optional: bool) -> None:
    value: Any = fields.get(name)
    if value is None and optional:
        return
    if type(value) not in (int, float) or abs(value) > 1e300:
        raise BadRecord(f"has no number for {name!r}")


def _sha256(fields: Mapping[str, Any], number: type[float] | Any) -> str:  # noqa: ANN401
    """Return the hash of the nine covered fields (see the signal-hash contract)."""
    covered = {name: fields[name] for name in TEXTS}
    covered |= {name: number(fields[name]) for name in NUMBERS}
    return hashlib.sha256(json.dumps(covered, sort_keys=True).encode()).hexdigest()


def _whole(number: float) -> float:
    """Return a number as the older system wrote it: without a fraction it is an integer."""
    return int(number) if float(number).is_integer() else number


def profit_loss_pct(action: str, entry_price: float, exit_price: float) -> float:
    """Return profit or loss in percent of the entry price, by the seed's formula."""
    gain = exit_price - entry_price if action == "BUY" else entry_price - exit_price
    return gain / entry_price * 100 if entry_price else math.nan
