"""Markets whose answers the test decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from signals.market.bars import Bars
from signals.market.protocol import Quote, UnknownSymbol
from tests.signals.market.builders import FIRST_CLOSE, bars_of

Ask = Callable[[], Bars]


@dataclass
class ScriptedMarket:
    """Returns the given bars or calls the given function; the last close is the default price."""

    answers: Mapping[str, Bars | Ask]
    time: datetime
    quotes: dict[str, Quote | None] = field(default_factory=dict)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self.answers)

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        if symbol not in self.answers:
            raise UnknownSymbol(symbol, self.symbols)
        answer = self.answers[symbol]
        bars = answer if isinstance(answer, Bars) else answer()
        return bars.between(since, upto)

    def quote(self, symbol: str) -> Quote | None:
        if symbol in self.quotes:
            return self.quotes[symbol]
        last = Quote.last_close(self.bars(symbol, self.time))
        return last and Quote(last.price, self.time)

    def now(self) -> datetime:
        return self.time

    def pass_by(self, time: timedelta) -> None:
        self.time += time


def market_of(*symbols: str, closes: int = 30) -> ScriptedMarket:
    """Return a market with `closes` days at a constant price; its time is the last close."""
    bars = {symbol: bars_of([100.0] * closes, symbol) for symbol in symbols}
    return ScriptedMarket(bars, FIRST_CLOSE + timedelta(days=closes - 1))
