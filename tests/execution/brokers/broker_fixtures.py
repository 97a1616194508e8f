"""The brokers of the contract: each with a market that a test moves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.paper.ledger import PaperStore
from signals.market.actions import ActionKind, ListedAction
from signals.market.bars import Bars, as_times
from signals.market.hours import ALWAYS_OPEN
from signals.market.protocol import Quote
from tests.execution.brokers.alpaca.alpaca_exchange import Exchange, Refused, Row


@dataclass
class AlpacaCase:
    """Alpaca on loopback. It accepts no brackets of crypto, so only lower case is another
    spelling."""

    broker: AlpacaBroker
    exchange: Exchange
    other_spelling: str = "msft"

    @property
    def outside(self) -> "AlpacaOutside":
        return AlpacaOutside(self.exchange)

    def move(self, symbol: str, price: str) -> None:
        self.exchange.move(symbol, price)

    def split(self, symbol: str, new: int, old: int) -> None:
        self.exchange.split(symbol, new, old, "carried")

    def pay_dividend(self, symbol: str, cash: str) -> None:
        self.exchange.pay_dividend(symbol, cash)

    def rename(self, symbol: str, new_symbol: str) -> None:
        self.exchange.rename(symbol, new_symbol)

    def transfer(self, amount: str) -> None:
        self.exchange.move_money(amount, "CSD" if Decimal(amount) > 0 else "CSW")


@dataclass
class AlpacaOutside:
    """A person at Alpaca's site, and Alpaca itself."""

    exchange: Exchange

    def order_for_dollars(self) -> None:
        self.exchange.for_dollars()

    def order_several(self) -> None:
        self.exchange.spread()

    def move_stop(self, client_order_id: str, level: str) -> None:
        self.exchange.replace(self._exit(client_order_id, "stop"), stop_price=level)

    def move_target(self, client_order_id: str, level: str) -> None:
        self.exchange.replace(self._exit(client_order_id, "limit"), limit_price=level)

    def shrink_entry(self, client_order_id: str, quantity: str) -> None:
        entry = self.exchange.order(client_order_id)
        new = self.exchange.replace(entry, qty=quantity)
        for leg in self.exchange.legs(entry):
            leg |= {"parent": new["id"], "qty": quantity}

    def _exit(self, client_order_id: str, kind: str) -> Row:
        legs = self.exchange.legs(self.exchange.order(client_order_id))
        return next(leg for leg in legs if leg["type"] == kind and not leg["replaced_by"])

    def refuse_closes(self, status: int) -> None:
        def refuse(asked: Row) -> Refused | None:
            is_close = asked["type"] == "market" and asked.get("order_class") != "bracket"
            return Refused(status, status * 100_000, "not now") if status and is_close else None

        self.exchange.refuse = refuse

    def refuse_what_it_places(self) -> None:
        self.exchange.refuse = lambda asked: Refused(422, 42210000, "the market is closed")
        self.exchange.places_refused = True


@dataclass
class Quotes:
    """A market of quotes only, with its own clock."""

    time: datetime = datetime(2024, 1, 5, 15, tzinfo=UTC)
    latest: dict[str, Quote] = field(default_factory=dict)
    symbols: tuple[str, ...] = ()
    listed: list[ListedAction] = field(default_factory=list)

    def actions(self, symbol: str, since: datetime, upto: datetime) -> list[ListedAction]:
        return [each for each in self.listed if since < each.ex_at <= upto]

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        return Bars.checked(symbol, as_times([]), open=[], high=[], low=[], close=[], volume=[])

    def quote(self, symbol: str) -> Quote | None:
        return self.latest.get(symbol)

    def now(self) -> datetime:
        return self.time


class PaperCase:
    """The paper broker at its usual costs; it looks at every move of the market."""

    other_spelling = "BTC/USD"
    outside = None

    def __init__(self) -> None:
        self.market = market = Quotes()
        store = PaperStore("contract", Decimal(100_000))
        self.broker = PaperBroker(store, market, lambda symbol: ALWAYS_OPEN, market.now)

    def move(self, symbol: str, price: str) -> None:
        self.market.time += timedelta(seconds=1)
        self.market.latest[symbol] = Quote(float(price), self.market.time)
        self.broker.look()

    def split(self, symbol: str, new: int, old: int) -> None:
        self._act(symbol, ActionKind.SPLIT, new=Decimal(new), old=Decimal(old))
        self.move(symbol, str(100 * old / new))

    def pay_dividend(self, symbol: str, cash: str) -> None:
        self._act(symbol, ActionKind.DIVIDEND, cash=Decimal(cash))
        self.move(symbol, str(100 - float(cash)))

    def rename(self, symbol: str, new_symbol: str) -> None:
        self._act(symbol, ActionKind.RENAME, new_symbol=new_symbol)
        self.move(symbol, "100")

    def transfer(self, amount: str) -> None:
        self.broker.transfer(Decimal(amount))

    def _act(self, symbol: str, kind: ActionKind, **terms: Any) -> None:  # noqa: ANN401
        self.market.time += timedelta(days=1)
        self.market.listed.append(ListedAction(kind, self.market.time, **terms))
