"""The houses of the contract: each a broker, and a market that a test moves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.paper.ledger import PaperStore
from signals.market.bars import Bars, as_times
from signals.market.hours import ALWAYS_OPEN
from signals.market.protocol import Quote
from tests.execution.brokers.alpaca.alpaca_exchange import Exchange


@dataclass
class AlpacaHouse:
    """Alpaca on loopback. It takes no brackets of crypto: only capitals are left to misspell."""

    broker: AlpacaBroker
    exchange: Exchange
    spelt: str = "msft"

    def move(self, symbol: str, price: str) -> None:
        self.exchange.move(symbol, price)


@dataclass
class Quotes:
    """A market of quotes alone, with its own clock."""

    time: datetime = datetime(2024, 1, 5, 15, tzinfo=UTC)
    latest: dict[str, Quote] = field(default_factory=dict)
    symbols: tuple[str, ...] = ()

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        return Bars.checked(symbol, as_times([]), open=[], high=[], low=[], close=[], volume=[])

    def quote(self, symbol: str) -> Quote | None:
        return self.latest.get(symbol)

    def now(self) -> datetime:
        return self.time


class PaperHouse:
    """The paper broker at its usual costs, which looks at every move of the market."""

    spelt = "BTC/USD"

    def __init__(self) -> None:
        self.market = market = Quotes()
        shelf = PaperStore("contract", Decimal(100_000))
        self.broker = PaperBroker(shelf, market, lambda symbol: ALWAYS_OPEN, market.now)

    def move(self, symbol: str, price: str) -> None:
        self.market.time += timedelta(seconds=1)
        self.market.latest[symbol] = Quote(float(price), self.market.time)
        self.broker.look()
