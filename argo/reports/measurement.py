"""Finds what `weigh_sources` has measured and kept, if it fits what a report is about."""

import shlex
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.conf import settings

from execution.analysis.selection import DecidedSelection
from signals.backtests.results import WORTH, kept, sha256_of
from signals.instruments import name_of
from signals.retrieval.selection import Selection

FILTERS = ("symbol", "since", "until")
"""The fields of a selection that limit a measurement."""
FITTING = frozenset((*FILTERS, "origin", "as_of"))
"""The fields with which a selection may have a measurement; past bars have no origin."""
SETTINGS = (
    "SIGNAL_SOURCES", "SIGNAL_WEIGHTS", "SIGNAL_MIN_SOURCES", "SIGNAL_REGIME_FACTORS",
    "SIGNAL_TARGET", "SIGNAL_STOP", "SIGNAL_MIN_STOP", "SIGNAL_MAX_STOP", "SIGNAL_MAX_JUMP",
    "SIGNAL_COOLDOWN", "MIN_CONFIDENCE", "MIN_CONFIDENCE_BY_REGIME", "MIN_CONFIDENCE_BY_STRATEGY",
    "PROP_FIRM_MIN_CONFIDENCE", "MARKET_DATA", "MARKET_SYMBOLS", "MARKET_EXCHANGE",
    "POSITION_MAX_DAYS", "PAPER_SPREAD", "PAPER_SLIPPAGE", "PAPER_FEE",
)  # fmt: skip
"""The settings that a measurement depends on; with another value it is another measurement."""


class Found(NamedTuple):
    """A measurement and when it was made, or why it is missing; `command` makes one that fits."""

    command: str
    result: dict[str, Any] | None = None
    made_at: datetime | None = None
    null_because: str | None = None


def parameters(wanted: Selection) -> dict[str, Any]:
    """Return what a measurement of this selection depends on, as JSON has it."""
    given = {
        "filter": _limits(wanted),
        "settings": {name: getattr(settings, name) for name in SETTINGS},
    }
    plain: dict[str, Any] = orjson.loads(orjson.dumps(given))
    return plain


def find(wanted: DecidedSelection) -> Found:
    """Return the newest measurement that fits a report on this selection.

    With `as_of` it is the newest one that had been made by then.
    """
    given = parameters(wanted)
    command = _command(given["filter"])
    if others := sorted(wanted.model_dump(exclude_none=True).keys() - FITTING):
        why = f"it is measured for all signals of a time, not for a choice by {', '.join(others)}"
        return Found(command, null_because=why)
    try:
        return _newest(given, command, wanted.as_of)
    except (OSError, ValueError) as error:
        folder = settings.DATA_DIR / WORTH
        why = f"a file in {folder} cannot be read ({error}): delete it, and run {command}"
        return Found(command, null_because=why)


def _newest(given: dict[str, Any], command: str, until: datetime | None) -> Found:
    fitting = kept(settings.DATA_DIR, WORTH, sha256=sha256_of(given), until=until)
    for made_at, result in fitting:
        return Found(command, result, made_at)
    other = next(kept(settings.DATA_DIR, WORTH, until=until), None)
    why = "it has not been measured" if other is None else _difference(other[1], given)
    return Found(command, null_because=f"{why}: run {command}")


def _difference(other: dict[str, Any], given: dict[str, Any]) -> str:
    """Return in words why another measurement does not fit."""
    before, now = other["parameters"], given
    names = [name for name in SETTINGS if before["settings"].get(name) != now["settings"][name]]
    if names:
        return f"the last measurement was made with another {', '.join(names)}"
    return "it has not been measured for this symbol and time"


def _limits(wanted: Selection) -> dict[str, str]:
    limits: dict[str, str] = wanted.model_dump(mode="json", include=set(FILTERS), exclude_none=True)
    return limits if wanted.symbol is None else limits | {"symbol": name_of(wanted.symbol)}


def _command(limits: dict[str, str]) -> str:
    options = [f"--{name} {shlex.quote(value)}" for name, value in limits.items()]
    return " ".join(["manage.py weigh_sources", *options])
