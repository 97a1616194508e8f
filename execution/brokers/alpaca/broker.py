"""The broker Alpaca, through `alpaca-py`: bracket orders of United States stocks."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit
from uuid import UUID

from execution.brokers.alpaca.client import AlpacaClient
from execution.brokers.alpaca.moves import MOVES, money_move
from execution.brokers.alpaca.parse import (
    Answer,
    fill_report,
    holding,
    is_bracket,
    moment,
    number,
    order_report,
    state_of,
    still_open,
    text,
)
from execution.brokers.alpaca.payloads import (
    bracket,
    check,
    close,
    permanent_error,
    step_of,
    utc_seconds,
)
from execution.brokers.protocol import (
    Account,
    Bracket,
    BrokerError,
    Close,
    FillReport,
    Holding,
    MoneyMove,
    OrderReport,
)
from execution.types import Leg, Side
from signals.clock import Clock, utc_now
from signals.market.instruments import instrument

PAPER = "https://paper-api.alpaca.markets"
LIVE = "https://api.alpaca.markets"
ALPACA_DOMAIN = "alpaca.markets"
ORDER_LIFE = timedelta(days=100)
"""Alpaca cancels a good-till-canceled order after 90 days."""
ONE_DAY = timedelta(days=1)
ORDERS_A_PAGE, FILLS_A_PAGE = 500, 100
"""The most rows that Alpaca returns at once."""
CANCEL_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.0)
"""Seconds between checks of orders that are being canceled."""


def endpoint(live: str, url: str) -> str:
    """Return the address to trade at: the paper account's, unless `live` is exactly "yes".

    A given `url` is used instead, but without that "yes" it may not be Alpaca's live address.
    Raises `BrokerError` if the settings leave a doubt.
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
    """Return whether it belongs to Alpaca and is not the one host known to trade on paper."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    is_alpaca = host == ALPACA_DOMAIN or host.endswith(f".{ALPACA_DOMAIN}")
    return is_alpaca and host != urlsplit(PAPER).hostname


class AlpacaBroker:
    """An account at Alpaca; `url` is the address of the trading service, from `endpoint`.

    A request fails after `timeout` seconds without a byte. No order is sent twice: after an error
    that is not permanent, `find` says whether the order was placed. Alpaca's brackets are for whole
    shares of stocks; crypto is refused.
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
        self._client = AlpacaClient(key, secret, url, timeout)
        self._now = clock
        self._sleep = sleep

    def step(self, symbol: str) -> Decimal:
        """Return one share; for crypto, a fraction of a coin."""
        return step_of(symbol)

    def account(self) -> Account:
        """Return the account's money.

        Alpaca reports no balance: it is the equity minus the unrealised profit.
        """
        with self._client.asking("the account"):
            answer, positions = self._client.get("/account"), self._client.rows("/positions")
            equity = number(answer, "equity")
            unrealised = sum((number(each, "unrealized_pl") for each in positions), Decimal(0))
            return Account(
                equity, equity - unrealised, number(answer, "buying_power"), self._now(),
                f"{self.name}:{text(answer, 'id')}",
            )  # fmt: skip

    def positions(self) -> Sequence[Holding]:
        """Return what is held, one `Holding` for each symbol."""
        with self._client.asking("the positions"):
            return [holding(each) for each in self._client.rows("/positions")]

    def submit(self, order: Bracket | Close) -> OrderReport:
        """Place an order.

        A `Close` first cancels the orders of its bracket, and then trades no more than they left:
        after an error on the way, the position may have no exits. Raises `BrokerError`.
        """
        with self._client.asking(f"{order.client_order_id} of {order.symbol}"):
            check(order)
            return self._open(order) if isinstance(order, Bracket) else self._close(order)

    def cancel(self, broker_id: str) -> None:
        """Ask Alpaca to cancel an order, which may take a moment."""
        if not _is_id(broker_id):  # an empty id would be the address of all orders
            return
        with self._client.asking(f"the cancellation of {broker_id}"):
            refused = self._client.delete(f"/orders/{broker_id}")
            if refused and not refused.is_missing and not self._is_ending(broker_id):
                raise BrokerError(
                    f"Alpaca does not cancel {broker_id}: {refused.message}", permanent=False
                )

    def find(self, client_order_id: str) -> OrderReport | None:
        """Return the order with this client id, a bracket with its exits; None if there is none."""
        with self._client.asking(f"order {client_order_id}"):
            answer = self._client.get_if_there(
                "/orders:by_client_order_id", client_order_id=client_order_id
            )
            if answer and is_bracket(answer):  # Alpaca shows the exits only by the order's own id
                answer = self._nested(text(answer, "id"))
            return None if answer is None else _checked_report(answer, client_order_id)

    def open_orders(self) -> Sequence[OrderReport]:
        """Return the orders that may still fill.

        Alpaca's open orders leave out an exit that is "held", and list exits on their own once
        their entry is filled. So all orders that may be open are read as well.
        """
        with self._client.asking("the open orders"):
            recent = {"after": utc_seconds(self._now() - ORDER_LIFE)}
            listed = self._orders({}, status="open", nested="false")
            return still_open(listed + self._orders(recent, status="all", nested="true"))

    def fills(self, since: datetime) -> Sequence[FillReport]:
        """Return the fills at `since` or later.

        One more day is asked for: Alpaca's `after` excludes the moment itself, and its precision
        below a second is not documented.
        """
        with self._client.asking("the fills"):
            rows = self._activities("/account/activities/FILL", after=utc_seconds(since - ONE_DAY))
            return [fill_report(row) for row in rows if moment(row, "transaction_time") >= since]

    def moves(self, since: datetime) -> Sequence[MoneyMove]:
        """Return the deposits, withdrawals, journals, fees, dividends and interest.

        Alpaca gives most of them a date without a time, so one more day is asked for.
        """
        with self._client.asking("the movements of money"):
            after = utc_seconds(since - ONE_DAY)
            rows = self._activities(
                "/account/activities", after=after, activity_types=",".join(MOVES)
            )
            return [move for row in rows if (move := money_move(row)) is not None]

    def transfer(self, amount: Decimal) -> None:
        """Refuse: money is moved at Alpaca, and `moves` reports it."""
        raise permanent_error(
            "Deposits and withdrawals are made at Alpaca. Argo reads them there by itself"
        )

    def _open(self, order: Bracket) -> OrderReport:
        found = _checked_report(self._client.post("/orders", bracket(order)), order.client_order_id)
        if not found.state.is_final and {leg.leg for leg in found.legs} != {Leg.STOP, Leg.TARGET}:
            raise ValueError("the bracket comes without its exits")
        return found

    def _close(self, order: Close) -> OrderReport:
        if self._client.get_if_there(
            "/orders:by_client_order_id", client_order_id=order.client_order_id
        ):  # checked first, so that nothing of its bracket is canceled again
            message = f"Alpaca already has an order {order.client_order_id}"
            raise BrokerError(message, permanent=True, duplicate=True)
        entry = self._canceled(self._entry_of(order))
        left, held = _left(entry), self._held(order)
        if left <= 0:
            raise permanent_error(f"nothing of {order.entry} is left to close")
        if held <= 0:
            raise BrokerError(
                f"{left} {order.symbol} of {order.entry} are left, but Alpaca holds none: "
                "compare the two",
                permanent=False,
            )
        body = close(order, min(order.quantity, left, held))
        return _checked_report(self._client.post("/orders", body), order.client_order_id)

    def _entry_of(self, order: Close) -> OrderReport:
        entry = self.find(order.entry)
        if entry is None:
            raise permanent_error(f"Alpaca never had {order.entry}: there is nothing to close")
        if (entry.symbol, entry.side) != (instrument(order.symbol).symbol, order.side.opposite):
            raise permanent_error(
                f"{order.side} {order.symbol} cannot close {entry.side} {entry.symbol}"
            )
        return entry

    def _canceled(self, entry: OrderReport) -> OrderReport:
        """Return the bracket when nothing of it can fill any more.

        Until then it holds the shares.
        """
        for order in _open_of(entry):
            self._client.delete(f"/orders/{order.broker_id}")
        for pause in CANCEL_PAUSES:
            entry = order_report(self._nested(entry.broker_id))
            if not _open_of(entry):
                return entry
            self._sleep(pause)
        message = f"{entry.client_order_id} is still being canceled: close it again in a moment"
        raise BrokerError(message, permanent=False)

    def _held(self, order: Close) -> Decimal:
        sign = 1 if order.side is Side.SELL else -1
        symbol = instrument(order.symbol).symbol
        held = [each.quantity for each in self.positions() if each.symbol == symbol]
        return sign * sum(held, Decimal(0))

    def _nested(self, broker_id: str) -> Answer:
        return self._client.get(f"/orders/{broker_id}", nested="true")

    def _is_ending(self, broker_id: str) -> bool:
        answer = self._client.get_if_there(f"/orders/{broker_id}")
        return answer is None or answer["status"] == "pending_cancel" or state_of(answer).is_final

    def _activities(self, path: str, **on_every_page: str) -> list[Answer]:
        on_every_page |= {"page_size": str(FILLS_A_PAGE), "direction": "asc"}
        return list(self._client.pages(path, "page_token", FILLS_A_PAGE, {}, on_every_page))

    def _orders(self, first: dict[str, str], **on_every_page: str) -> list[Answer]:
        on_every_page |= {"limit": str(ORDERS_A_PAGE), "direction": "asc"}
        path, cursor = "/orders", "after_order_id"
        return list(self._client.pages(path, cursor, ORDERS_A_PAGE, first, on_every_page))


def _checked_report(answer: Answer, client_order_id: str) -> OrderReport:
    """Return the report. Raises `ValueError` if it is about another order."""
    found = order_report(answer)
    if found.client_order_id != client_order_id:
        raise ValueError(f"the order is {found.client_order_id}")
    return found


def _left(entry: OrderReport) -> Decimal:
    """Return the filled quantity of the entry that its exits have not closed."""
    return entry.filled - sum((leg.filled for leg in entry.legs), Decimal(0))


def _open_of(entry: OrderReport) -> list[OrderReport]:
    return [order for order in (entry, *entry.legs) if not order.state.is_final]


def _is_id(broker_id: str) -> bool:
    try:
        UUID(broker_id)
    except ValueError:
        return False
    return True
