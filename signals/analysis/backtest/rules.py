"""The rules of a backtest, and its assumptions in words."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from argo.errors import FieldError, InvalidInput


class Entry(StrEnum):
    """Where a trade is entered."""

    OPEN = "open"  # at the open of the next bar
    PRICE = "price"  # at the signal's price, if the next bar trades through it


@dataclass(frozen=True, slots=True)
class Rules:
    """How signals are traded. Costs are in percent of the price, as in the paper broker.

    `delay` is how many bars are left out before the entry. `expiry` is a number of bars, the entry
    bar included, or a time since the entry. `spread` is between bid and ask; `slippage` is of
    market orders; `fee` is of each fill. A signal whose next bar begins later than `max_wait` after
    it is not entered. A symbol whose bars end `delisted_after` before those of all symbols counts
    as delisted.

    Raises `InvalidInput` if a value makes no sense.
    """

    entry: Entry = Entry.OPEN
    delay: int = 0
    expiry: int | timedelta = 30
    spread: float = 0.0
    slippage: float = 0.0
    fee: float = 0.0
    max_wait: timedelta = timedelta(days=7)
    delisted_after: timedelta = timedelta(days=10)

    def __post_init__(self) -> None:
        if faults := list(self._faults()):
            raise InvalidInput(faults)

    def _faults(self) -> Iterator[FieldError]:
        if self.delay < 0:
            yield FieldError("delay", f"is {self.delay}; give 0 or more bars")
        bars = self.expiry if isinstance(self.expiry, int) else self.expiry / timedelta(days=1)
        if bars <= 0:
            yield FieldError("expiry", "must be above 0")
        for name in ("spread", "slippage", "fee"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value < 100):
                yield FieldError(name, f"is {value}; give percent of the price, 0 to below 100")
        for name in ("max_wait", "delisted_after"):
            if getattr(self, name) <= timedelta():
                yield FieldError(name, "must be above 0")

    @property
    def market_cost(self) -> float:
        """Return the part of the price by which a market order fills worse than the mid."""
        return (self.spread / 2 + self.slippage) / 100

    @property
    def entry_cost(self) -> float:
        """Return the same of the entry; a fill at the signal's own price costs no spread."""
        return self.market_cost if self.entry is Entry.OPEN else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the rules as plain values; times in seconds."""
        values = asdict(self)
        if isinstance(self.expiry, timedelta):
            values |= {"expiry": None, "expiry_seconds": self.expiry.total_seconds()}
        for name in ("max_wait", "delisted_after"):
            values[name] = getattr(self, name).total_seconds()
        return values


def assumptions(rules: Rules) -> list[str]:
    """Return every assumption of these rules, one sentence each."""
    return [
        *_entry(rules),
        f"A signal is not entered if its next bar begins more than {_days(rules.max_wait)} later.",
        "An exit is a stop or a target. A bar that opens beyond one ends the trade at its open.",
        "If a bar reaches both, the stop counts, unless finer bars show which came first.",
        f"A trade that has lasted {_expiry(rules.expiry)} is closed at the next open.",
        _costs(rules),
        "Levels and quantity are carried over splits. Dividends and interest are left out.",
        _delisting(rules),
        "Each signal is traded by itself, with the same money: no limits, no other positions.",
    ]


def _entry(rules: Rules) -> Iterator[str]:
    place = {
        Entry.OPEN: "at the open of the first bar that begins after the signal",
        Entry.PRICE: "at the signal's price, if the first bar after the signal trades through it",
    }[rules.entry]
    later = f", {rules.delay} bars later" if rules.delay else ""
    yield f"A trade is entered {place}{later}."
    if rules.entry is Entry.PRICE:
        yield (
            "What that bar did before the entry is unknown: a stop that it reached counts, a "
            "target only if it was certainly reached after the entry."
        )


def _costs(rules: Rules) -> str:
    return (
        "An entry at an open, a stop, and an expired or delisted trade pay half of the spread "
        f"({rules.spread:g}%) and the slippage ({rules.slippage:g}%); each fill pays a fee of "
        f"{rules.fee:g}%."
    )


def _delisting(rules: Rules) -> str:
    return (
        "A trade that the bars do not end is open. If the bars of its symbol end more than "
        f"{_days(rules.delisted_after)} before the others, it was delisted: the trade ends at its "
        "last close."
    )


def _expiry(expiry: int | timedelta) -> str:
    return _days(expiry) if isinstance(expiry, timedelta) else f"{expiry} bars"


def _days(time: timedelta) -> str:
    return f"{time.total_seconds() / 86400:g} days"
