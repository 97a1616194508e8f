"""The broker Alpaca, through `alpaca-py`: bracket orders of United States stocks."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit
from uuid import UUID

from execution.brokers.alpaca.client import AlpacaClient
from execution.brokers.alpaca.fees import SaleFees
from execution.brokers.alpaca.moves import MOVES, money_move
from execution.brokers.alpaca.parse import (
    Answer,
    fill_report,
    holding,
    is_bracket,
    listing,
    moment,
    number,
    order_report,
    signed_quantity,
    state_of,
    still_open,
    symbol,
    symbol_or_none,
    text,
)
from execution.brokers.alpaca.payloads import (
    bracket,
    check,
    close,
    permanent_error,
    step_of,
    stop,
    utc_seconds,
)
from execution.brokers.protocol import (
    Account,
    Bracket,
    BrokerError,
    Close,
    FillReport,
    Holding,
    Listing,
    MoneyMove,
    OrderReport,
    Stop,
)
from execution.types import Leg, Side
from signals.clock import Clock, utc_now
from signals.instruments import name_of

PAPER = "https://paper-api.alpaca.markets"
LIVE = "https://api.alpaca.markets"
ALPACA_DOMAIN = "alpaca.markets"
ORDER_LIFE = timedelta(days=100)
"""Alpaca cancels a good-till-canceled order after 90 days."""
ONE_DAY = timedelta(days=1)
NO_FEES = SaleFees()
ORDERS_A_PAGE, FILLS_A_PAGE = 500, 100
"""The most rows that Alpaca returns at once."""
MOST_REPLACED = 5_000
"""How many orders that were replaced are kept in memory."""
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
    carries_over = False

    def __init__(
        self,
        key: str,
        secret: str,
        url: str,
        *,
        timeout: float = 10.0,
        fees: SaleFees = NO_FEES,
        clock: Clock = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = AlpacaClient(key, secret, url, timeout)
        self._fees = fees
        self._now = clock
        self._sleep = sleep
        self._replaced: dict[str, Answer] = {}

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

    def positions(self) -> Listing[Holding]:
        """Return what is held, one `Holding` for each symbol.

        Raises `BrokerError` if a row has no symbol: then nothing is known of any other symbol.
        """
        with self._client.asking("the positions"):
            rows = self._client.rows("/positions")
            for row in rows:
                symbol(row)
            return listing(rows, holding, "asset_id")

    def submit(self, order: Bracket | Close | Stop) -> OrderReport:
        """Place an order.

        A `Close` first cancels the exits of its position, and then trades no more than they left:
        after an error on the way, the position may have no exits. Raises `BrokerError`.
        """
        with self._client.asking(f"{order.client_order_id} of {order.symbol}"):
            check(order)
            if isinstance(order, Bracket):
                return self._open(order)
            return self._close(order) if isinstance(order, Close) else self._protect(order)

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
            return None if answer is None else self._checked_report(answer, client_order_id)

    def open_orders(self) -> Listing[OrderReport]:
        """Return the orders that may still fill.

        Alpaca's open orders leave out an exit that is "held", and list exits on their own once
        their entry is filled. So all orders that may be open are read as well.
        """
        with self._client.asking("the open orders"):
            recent = {"after": utc_seconds(self._now() - ORDER_LIFE)}
            listed = self._orders({}, status="open", nested="false")
            return still_open(listed + self._orders(recent, status="all", nested="true"))

    def fills(self, since: datetime) -> Listing[FillReport]:
        """Return the fills at `since` or later.

        One more day is asked for: Alpaca's `after` excludes the moment itself, and its precision
        below a second is not documented.
        """
        with self._client.asking("the fills"):
            path = "/account/activities/FILL"
            rows = self._activities(path, after=utc_seconds(since - ONE_DAY))

            def read(row: Answer) -> FillReport | None:
                is_earlier = moment(row, "transaction_time") < since
                return None if is_earlier else fill_report(row, self._fees)

            return listing(rows, read, "order_id")

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
        answer = self._client.post("/orders", bracket(order))
        found = self._checked_report(answer, order.client_order_id)
        if not found.state.is_final and {leg.leg for leg in found.legs} != {Leg.STOP, Leg.TARGET}:
            raise ValueError("the bracket comes without its exits")
        return found

    def _close(self, order: Close) -> OrderReport:
        self._refuse_duplicate(order)  # first, so that nothing of its bracket is canceled again
        entry = self._canceled(self._entry_of(order), order.exits)
        body = close(order, self._closable(order, entry))
        return self._checked_report(self._client.post("/orders", body), order.client_order_id)

    def _protect(self, order: Stop) -> OrderReport:
        self._refuse_duplicate(order)
        body = stop(order, self._closable(order, self._entry_of(order)))
        return self._checked_report(self._client.post("/orders", body), order.client_order_id)

    def _refuse_duplicate(self, order: Close | Stop) -> None:
        if self._client.get_if_there(
            "/orders:by_client_order_id", client_order_id=order.client_order_id
        ):
            message = f"Alpaca already has an order {order.client_order_id}"
            raise BrokerError(message, permanent=True, duplicate=True)

    def _closable(self, order: Close | Stop, entry: OrderReport) -> Decimal:
        """Return how much the order may trade: no more than is left of the bracket and held."""
        held = self._held(order)
        left = held if order.is_carried else _left(entry)
        if left <= 0 and not order.is_carried:
            raise permanent_error(f"nothing of {order.entry} is left to close")
        if held <= 0:
            raise BrokerError(
                f"{left} {order.symbol} of {order.entry} are left, but Alpaca holds none: "
                "compare the two",
                permanent=False,
            )
        return min(order.quantity, left, held)

    def _entry_of(self, order: Close | Stop) -> OrderReport:
        entry = self.find(order.entry)
        if entry is None:
            raise permanent_error(f"Alpaca never had {order.entry}: there is nothing to close")
        is_same = order.is_carried or entry.symbol == name_of(order.symbol)
        if not is_same or entry.side is not order.side.opposite:
            raise permanent_error(
                f"{order.side} {order.symbol} cannot close {entry.side} {entry.symbol}"
            )
        return entry

    def _canceled(self, entry: OrderReport, exits: Iterable[str]) -> OrderReport:
        """Return the bracket when nothing of it, and none of the `exits`, can fill any more.

        Until then they hold the shares.
        """
        inside = {order.broker_id for order in (*entry.chain, *entry.exits)}
        others = [broker_id for broker_id in exits if broker_id not in inside]
        for broker_id in (*_open_of(entry), *filter(self._is_open, others)):
            self._client.delete(f"/orders/{broker_id}")
        for pause in CANCEL_PAUSES:
            entry = self._report(self._nested(entry.broker_id))
            if not _open_of(entry) and not any(map(self._is_open, others)):
                return entry
            self._sleep(pause)
        message = f"{entry.client_order_id} is still being canceled: close it again in a moment"
        raise BrokerError(message, permanent=False)

    def _is_open(self, broker_id: str) -> bool:
        answer = self._client.get_if_there(f"/orders/{broker_id}") if _is_id(broker_id) else None
        return answer is not None and not state_of(answer).is_final

    def _held(self, order: Close | Stop) -> Decimal:
        """Return how much is held that the order would close; only its own symbol is read."""
        sign = 1 if order.side is Side.SELL else -1
        name = name_of(order.symbol)
        rows = [row for row in self._client.rows("/positions") if symbol_or_none(row) == name]
        return sign * sum(map(signed_quantity, rows), Decimal(0))

    def _checked_report(self, answer: Answer, client_order_id: str) -> OrderReport:
        """Return the report. Raises `ValueError` if it is about another order."""
        found = self._report(answer)
        if found.client_order_id != client_order_id:
            raise ValueError(f"the order is {found.client_order_id}")
        return found

    def _report(self, answer: Answer) -> OrderReport:
        """Return the report, with the orders that replaced any of it."""
        return order_report(answer, self._replacement)

    def _replacement(self, broker_id: str) -> Answer:
        """Return the order that replaced another one.

        One that was replaced itself does not change any more, so it is asked for only once: a stop
        that follows the price may be replaced hundreds of times.
        """
        if (known := self._replaced.get(broker_id)) is not None:
            return known
        answer = self._client.get_if_there(f"/orders/{broker_id}", nested="true")
        if answer is None:
            raise ValueError(f"the order {broker_id}, which replaced another one, is not there")
        if answer.get("replaced_by") and state_of(answer).is_final and not answer.get("legs"):
            if len(self._replaced) >= MOST_REPLACED:
                self._replaced.clear()
            self._replaced[broker_id] = answer
        return answer

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


def _left(entry: OrderReport) -> Decimal:
    """Return the filled quantity of the entry that its exits have not closed."""
    entered = sum((each.filled for each in entry.chain), Decimal(0))
    return entered - sum((each.filled for each in entry.exits), Decimal(0))


def _open_of(entry: OrderReport) -> list[str]:
    """Return the ids of the orders of a bracket that may still fill."""
    orders = (*entry.chain, *entry.exits)
    return [order.broker_id for order in orders if not order.state.is_final]


def _is_id(broker_id: str) -> bool:
    try:
        UUID(broker_id)
    except ValueError:
        return False
    return True
