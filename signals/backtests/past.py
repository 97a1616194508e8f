"""The past that a measurement walks through: some symbols' bars, and a period of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from argo.errors import FieldError, InvalidInput
from signals.generation.replay import WARM_UP, Period
from signals.instruments import name_of
from signals.market.bars import Bars
from signals.market.protocol import MarketData
from signals.retrieval.selection import Selection
from signals.timestamps import utc_text

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Past:
    """The bars of some symbols, earlier ones to warm up included, and the period to measure."""

    histories: Sequence[Bars]
    period: Period

    @property
    def count(self) -> int:
        """Return how many bars are in the period."""
        return sum(map(self.period.count, self.histories))

    def as_dict(self) -> dict[str, Any]:
        """Return the symbols, the number of bars, and when the first and the last one closed."""
        inside = [[*self.period.windows(bars)] for bars in self.histories]
        ends = [(each[0].time_at(-1), each[-1].time_at(-1)) for each in inside if each]
        return {
            "symbols": [bars.symbol for bars in self.histories],
            "bars": self.count,
            "first": utc_text(min(first for first, _ in ends)),
            "last": utc_text(max(last for _, last in ends)),
        }


def past_of(wanted: Selection, symbols: Sequence[str], market: MarketData) -> Past:
    """Return the bars of the selection's symbol, or else of `symbols`, in the selection's time.

    Raises `InvalidInput` without such bars or without a symbol, `UnknownSymbol` if the market
    does not have one of the symbols, and `FeedError` if its data is not available.
    """
    start, end, now = wanted.since or BEGINNING, wanted.until or market.now(), market.now()
    period = Period(start.replace(microsecond=0), min(end.replace(microsecond=999_999), now))
    names = [name_of(each) for each in ([wanted.symbol] if wanted.symbol else symbols)]
    if not names:
        raise InvalidInput([FieldError("--symbol", "name a symbol, or set MARKET_SYMBOLS")])
    bars = [market.bars(name, period.end, period.start - WARM_UP) for name in names]
    if not (found := Past(bars, period)).count:
        text = f"there are no bars of {', '.join(names)} from {period.start} to {period.end}"
        raise InvalidInput([FieldError("--since, --until", text)])
    return found
