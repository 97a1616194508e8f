"""Chooses the lines of a bundle that are shown."""

import json
from collections.abc import Callable, Collection

from pydantic import ValidationError

from argo.errors import FieldError, InvalidInput
from signals.ledger.queries import SignalFilter
from signals.models import Signal

ALL, NOTHING = "all", "nothing"
Shows = Callable[[bytes], bool]
"""Returns whether a line is shown."""


def shows(text: str) -> Shows:
    """Return what `--reveal` asks for: everything, nothing, or signals by a filter.

    A filter is `strategy=trend,symbol=AAPL`: the lines of the signals that pass, and those of their
    outcomes. Raises InvalidInput, with every fault.
    """
    if text in (ALL, NOTHING):
        return lambda line: text == ALL
    pairs = [each.partition("=") for each in text.split(",")]
    fields = {name.strip(): value.strip() for name, _, value in pairs}
    try:
        chosen = SignalFilter.model_validate(fields)
    except ValidationError as error:
        faults = [_fault(str(each["loc"][0]), each["msg"]) for each in error.errors()]
        raise InvalidInput(faults) from None
    rows = chosen.apply(Signal.objects.all()).values_list("signal_id", flat=True)
    ids = set(rows.iterator())
    return lambda line: _signal_id(line) in ids


def shows_strategies(names: Collection[str]) -> Shows:
    """Return what shows every signal of these strategies with its outcomes."""
    rows = Signal.objects.filter(strategy__in=names).values_list("signal_id", flat=True)
    ids = set(rows.iterator())
    return lambda line: _signal_id(line) in ids


def _fault(name: str, message: str) -> FieldError:
    known = ", ".join(SignalFilter.model_fields)
    text = message.removeprefix("Value error, ")
    return FieldError("--reveal", f"{name}: {text}; it takes {ALL}, or {known} as NAME=VALUE,...")


def _signal_id(line: bytes) -> str | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    name = found.get("signal_id") if isinstance(found, dict) else None
    return name if isinstance(name, str) else None
