"""Alpaca as a broker, through `alpaca-py`: brackets of stocks in the United States."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit
from uuid import UUID

from execution.brokers.alpaca.client import Wire
from execution.brokers.alpaca.parse import (
    Told,
    execution,
    holding,
    is_bracket,
    moment,
    number,
    placed,
    state_of,
    still_open,
    text,
)
from execution.brokers.alpaca.payloads import bracket, check, close, never, step_of, written
from execution.brokers.protocol import (
    Account,
    Bracket,
    BrokerError,
    Close,
    FillReport,
    Holding,
    OrderReport,
)
from execution.types import Leg, Side
from signals.clock import Clock, utc_now
from signals.market.instruments import instrument

PAPER = "https://paper-api.alpaca.markets"
LIVE = "https://api.alpaca.markets"
OWN_DOMAIN = "alpaca.markets"
LONGEST = timedelta(days=100)
"""Alpaca cancels an order that is good till canceled after 90 days."""
ONE_DAY = timedelta(days=1)
ORDERS_A_PAGE, FILLS_A_PAGE = 500, 100
"""The most that Alpaca gives at once."""
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.0)
"""Seconds between looks at orders that are being canceled."""


def endpoint(live: str, url: str) -> str:
    """The address to trade at: the paper account's, unless `live` is "yes" in full.

    `url` wins where it is given; without that yes it may not be Alpaca's live one. Raises
    `BrokerError` for everything that might be meant otherwise.
    """
    if live not in ("", "no", "yes"):
        raise BrokerError(
            f"ALPACA_LIVE is {live!r}: write yes to trade with real money, or no", permanent=True
        )
    address = url or (LIVE if live == "yes" else PAPER)
    if live != "yes" and _may_be_live(address):
        raise BrokerError(
            f"{address} may trade with real money: write ALPACA_LIVE=yes, or use {PAPER}",
            permanent=True,
        )
    return address


def _may_be_live(url: str) -> bool:
    """Whether it is of Alpaca, and not the one host that is known to trade on paper."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    is_alpaca = host == OWN_DOMAIN or host.endswith(f".{OWN_DOMAIN}")
    return is_alpaca and host != urlsplit(PAPER).hostname


class AlpacaBroker:
    """An account at Alpaca; `url` is the trading service's address, of `endpoint`.

    Each request may be without a byte for `timeout` seconds. No order is sent twice: after an error
    that is not permanent, `find` tells whether it was placed. Alpaca's brackets are of whole shares
    of stocks; crypto is refused.
    """

    name = "alpaca"

    def __init__(
        self,
        key: str,
        secret: str,
        url: str,
        *,
        timeout: float = 10.0,
        clock: Clock = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wire = Wire(key, secret, url, timeout)
        self._now = clock
        self._sleep = sleep

    def step(self, symbol: str) -> Decimal:
        """A share; of crypto a fraction."""
        return step_of(symbol)

    def account(self) -> Account:
        """The money. Alpaca keeps no balance: it is the equity without what is not realised."""
        with self._wire.asking("the account"):
            told, positions = self._wire.get("/account"), self._wire.rows("/positions")
            equity = number(told, "equity")
            unrealised = sum((number(each, "unrealized_pl") for each in positions), Decimal(0))
            return Account(equity, equity - unrealised, number(told, "buying_power"), self._now())

    def positions(self) -> Sequence[Holding]:
        """What is held."""
        with self._wire.asking("the positions"):
            return [holding(each) for each in self._wire.rows("/positions")]

    def submit(self, order: Bracket | Close) -> OrderReport:
        """Place an order. Of a `Close` the bracket's orders are canceled first, and never more is
        traded than it left: an error on the way may leave the position without its exits."""
        with self._wire.asking(f"{order.client_order_id} of {order.symbol}"):
            check(order)
            return self._open(order) if isinstance(order, Bracket) else self._close(order)

    def cancel(self, broker_id: str) -> None:
        """Ask Alpaca to cancel it, which may take a moment."""
        if not _is_id(broker_id):  # an empty one would be the address of all orders
            return
        with self._wire.asking(f"the cancellation of {broker_id}"):
            refused = self._wire.delete(f"/orders/{broker_id}")
            if refused and not refused.is_missing and not self._is_ending(broker_id):
                told = f"Alpaca does not cancel {broker_id}: {refused.message}"
                raise BrokerError(told, permanent=False)

    def find(self, client_order_id: str) -> OrderReport | None:
        """The order, a bracket with its exits."""
        with self._wire.asking(f"order {client_order_id}"):
            told = self._wire.get_if_there(
                "/orders:by_client_order_id", client_order_id=client_order_id
            )
            if told and is_bracket(told):  # only by its own id does Alpaca tell of its exits
                told = self._nested(text(told, "id"))
            return None if told is None else _placed(told, client_order_id)

    def open_orders(self) -> Sequence[OrderReport]:
        """Those that may still be filled.

        Alpaca leaves an exit that is held out of what it calls open, and tells of exits by
        themselves once their entry is filled. So all orders that may be open are looked at besides.
        """
        with self._wire.asking("the open orders"):
            recent = {"after": written(self._now() - LONGEST)}
            listed = self._orders({}, status="open", nested="false")
            return still_open(listed + self._orders(recent, status="all", nested="true"))

    def fills(self, since: datetime) -> Sequence[FillReport]:
        """What was filled. A day more is asked for: Alpaca's `after` leaves out the moment itself,
        and says nothing about parts of a second."""
        with self._wire.asking("the fills"):
            rows = self._activities(after=written(since - ONE_DAY))
            return [execution(row) for row in rows if moment(row, "transaction_time") >= since]

    def _open(self, order: Bracket) -> OrderReport:
        found = _placed(self._wire.post("/orders", bracket(order)), order.client_order_id)
        if not found.state.is_final and {leg.leg for leg in found.legs} != {Leg.STOP, Leg.TARGET}:
            raise ValueError("the exits of the bracket are not in it")
        return found

    def _close(self, order: Close) -> OrderReport:
        if self._wire.get_if_there(
            "/orders:by_client_order_id", client_order_id=order.client_order_id
        ):  # before anything of its bracket is canceled again
            told = f"Alpaca has an order {order.client_order_id} already"
            raise BrokerError(told, permanent=True, duplicate=True)
        entry = self._canceled(self._entry_of(order))
        left, held = _left(entry), self._held(order)
        if left <= 0:
            raise never(f"nothing of {order.entry} is left to close")
        if held <= 0:
            told = f"{order.entry} left {left} {order.symbol}, and Alpaca holds none: compare them"
            raise BrokerError(told, permanent=False)
        body = close(order, min(order.quantity, left, held))
        return _placed(self._wire.post("/orders", body), order.client_order_id)

    def _entry_of(self, order: Close) -> OrderReport:
        entry = self.find(order.entry)
        if entry is None:
            raise never(f"Alpaca never had {order.entry}, so that nothing of it can be closed")
        if (entry.symbol, entry.side) != (instrument(order.symbol).symbol, order.side.opposite):
            raise never(f"{order.side} {order.symbol} closes no {entry.side} {entry.symbol}")
        return entry

    def _canceled(self, entry: OrderReport) -> OrderReport:
        """The bracket once nothing of it can be filled any more: until then it holds the shares."""
        for order in _open_of(entry):
            self._wire.delete(f"/orders/{order.broker_id}")
        for pause in PAUSES:
            entry = placed(self._nested(entry.broker_id))
            if not _open_of(entry):
                return entry
            self._sleep(pause)
        told = f"{entry.client_order_id} is still being canceled: close it again in a moment"
        raise BrokerError(told, permanent=False)

    def _held(self, order: Close) -> Decimal:
        sign = 1 if order.side is Side.SELL else -1
        symbol = instrument(order.symbol).symbol
        held = [each.quantity for each in self.positions() if each.symbol == symbol]
        return sign * sum(held, Decimal(0))

    def _nested(self, broker_id: str) -> Told:
        return self._wire.get(f"/orders/{broker_id}", nested="true")

    def _is_ending(self, broker_id: str) -> bool:
        told = self._wire.get_if_there(f"/orders/{broker_id}")
        return told is None or told["status"] == "pending_cancel" or state_of(told).is_final

    def _activities(self, **always: str) -> list[Told]:
        always |= {"page_size": str(FILLS_A_PAGE), "direction": "asc"}
        path, cursor = "/account/activities/FILL", "page_token"
        return list(self._wire.pages(path, cursor, FILLS_A_PAGE, {}, always))

    def _orders(self, first: dict[str, str], **always: str) -> list[Told]:
        always |= {"limit": str(ORDERS_A_PAGE), "direction": "asc"}
        path, cursor = "/orders", "after_order_id"
        return list(self._wire.pages(path, cursor, ORDERS_A_PAGE, first, always))


def _placed(told: Told, client_order_id: str) -> OrderReport:
    """The order, if it is the one that was meant."""
    found = placed(told)
    if found.client_order_id != client_order_id:
        raise ValueError(f"it is of {found.client_order_id}")
    return found


def _left(entry: OrderReport) -> Decimal:
    """What the entry was filled with and its exits did not end."""
    return entry.filled - sum((leg.filled for leg in entry.legs), Decimal(0))


def _open_of(entry: OrderReport) -> list[OrderReport]:
    return [order for order in (entry, *entry.legs) if not order.state.is_final]


def _is_id(broker_id: str) -> bool:
    try:
        UUID(broker_id)
    except ValueError:
        return False
    return True
