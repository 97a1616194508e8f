"""Orders, fills and positions as Alpaca keeps them, in its documented JSON, without HTTP."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

Row = dict[str, Any]

MORNING = datetime(2024, 1, 5, 15, 0, 0, 123456, tzinfo=UTC)
CASH = Decimal(100_000)
DONE = ("filled", "canceled", "expired", "replaced", "rejected")
TIMES = ("filled_at", "expired_at", "canceled_at", "failed_at", "replaced_at", "replaced_by")


class Refused(Exception):
    """A request that is answered with `status` and Alpaca's own `code`."""

    def __init__(self, status: int, code: int, message: str) -> None:
        self.status = status
        self.body = {"code": code, "message": message}
        super().__init__(json.dumps(self.body))


@dataclass
class Exchange:
    """One account. Nothing trades by itself: a test calls `move`.

    `slow_cancels` is how many times an order must be read before its cancellation is done.
    `counts_legs`: exits count toward a page of orders, which Alpaca leaves undocumented.
    `hides_replaced`: a bracket is shown without exits that were replaced. `refuse` returns why an
    order is refused; with `places_refused` the order is placed all the same.
    """

    prices: dict[str, Decimal] = field(default_factory=dict)
    orders: list[Row] = field(default_factory=list)
    activities: list[Row] = field(default_factory=list)
    positions: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    cash: Decimal = CASH
    slow_cancels: int = 0
    counts_legs: bool = False
    hides_replaced: bool = False
    refuse: Callable[[Row], Refused | None] = lambda asked: None
    places_refused: bool = False
    now: datetime = MORNING
    account_id: str = field(default_factory=lambda: str(uuid4()))

    def move_money(self, amount: str, kind: str = "CSD", *, is_booked: bool = True) -> Row:
        """Pay money in or out, and report it; if not `is_booked`, it is only reported."""
        at = self.tick()
        activity: Row = {
            "id": f"{self.now:%Y%m%d%H%M%S}000::{uuid4()}", "activity_type": kind, "date": at[:10],
            "net_amount": amount, "description": "", "status": "executed",
        }  # fmt: skip
        self.activities.append(activity)
        if is_booked:
            self.cash += Decimal(amount)
        return activity

    def tick(self) -> str:
        """Advance the clock by one second and return the time."""
        self.now += timedelta(seconds=1)
        return self.now.isoformat().replace("+00:00", "Z")

    def place(self, asked: Row) -> Row:
        """Add an order, or refuse it as Alpaca does."""
        if (refused := self.refuse(asked)) is None:
            return self._place(asked)
        if self.places_refused:
            self._place(asked)
        raise refused

    def _place(self, asked: Row) -> Row:
        if any(order["client_order_id"] == asked["client_order_id"] for order in self.orders):
            raise Refused(422, 40010001, "client_order_id must be unique")
        if asked.get("order_class") == "bracket":
            return self._bracket(asked)
        self._refuse_without_shares(asked)
        return self._add(asked | {"order_class": "simple"})

    def _bracket(self, asked: Row) -> Row:
        if Decimal(asked["qty"]) % 1:
            raise Refused(422, 42210000, "fractional orders must be simple orders")
        target, stop = asked["take_profit"]["limit_price"], asked["stop_loss"]["stop_price"]
        if (Decimal(target) > Decimal(stop)) != (asked["side"] == "buy"):
            raise Refused(422, 42210000, "take_profit.limit_price must be beyond stop_price")
        if Decimal(asked["qty"]) * self.prices.get(asked["symbol"], Decimal(0)) > self.cash:
            raise Refused(403, 40310000, "insufficient buying power")
        entry = self._add(asked)
        side = "sell" if asked["side"] == "buy" else "buy"
        exit_ = asked | {"side": side, "parent": entry["id"], "status": "held"}
        self._add(exit_ | {"client_order_id": str(uuid4()), "type": "limit", "limit_price": target})
        self._add(exit_ | {"client_order_id": str(uuid4()), "type": "stop", "stop_price": stop})
        return entry

    def _refuse_without_shares(self, asked: Row) -> None:
        """Refuse the order if exits already hold the shares."""
        quantity, _ = self.positions.get(asked["symbol"], (Decimal(0), Decimal(0)))
        against = [
            Decimal(order["qty"])
            for order in self.orders
            if ((order["status"] in ("new", "pending_cancel") and order["type"] == "limit")
                or (order["status"] == "accepted" and order["type"] == "stop"))
            and (order["symbol"], order["side"]) == (asked["symbol"], asked["side"])
        ]  # fmt: skip
        free = abs(quantity) - sum(against)
        if against and free < Decimal(asked["qty"]):
            message = (
                f"insufficient qty available for order (requested: {asked['qty']},"
                f" available: {free})"
            )
            raise Refused(403, 40310000, message)

    def _add(self, asked: Row) -> Row:
        now = self.tick()
        order: Row = {
            "id": str(uuid4()), "client_order_id": asked["client_order_id"],
            "created_at": now, "updated_at": now, "submitted_at": now,
            **dict.fromkeys(TIMES), "replaces": None, "asset_id": str(uuid4()),
            "symbol": asked["symbol"], "asset_class": "us_equity", "notional": None,
            "qty": asked["qty"], "filled_qty": "0", "filled_avg_price": None,
            "order_class": asked["order_class"], "order_type": asked["type"],
            "type": asked["type"], "side": asked["side"],
            "time_in_force": asked["time_in_force"], "limit_price": asked.get("limit_price"),
            "stop_price": asked.get("stop_price"), "status": asked.get("status", "accepted"),
            "extended_hours": False, "legs": None, "trail_percent": None, "trail_price": None,
            "hwm": None, "parent": asked.get("parent"),
        }  # fmt: skip
        self.orders.append(order)
        return order

    def by_hand(self, **changes: object) -> Row:
        """Add an order as a person places it at Alpaca's site, of any kind."""
        asked = {
            "client_order_id": str(uuid4()), "symbol": "AAPL", "qty": "1", "side": "buy",
            "type": "limit", "limit_price": "1", "order_class": "simple", "time_in_force": "day",
        }  # fmt: skip
        order = self._add(asked)
        order |= changes
        return order

    def for_dollars(self) -> Row:
        """Add an order by hand for 500 dollars, whatever quantity that is."""
        return self.by_hand(qty=None, notional="500", type="market", limit_price=None)

    def spread(self) -> Row:
        """Add an order by hand for two options at once; only its legs have symbol and side."""
        order = self.by_hand(symbol="", side="", asset_class="", order_class="mleg")
        legs = [
            self.by_hand(symbol=name, side=side, asset_class="us_option", order_class="mleg",
                         qty=None, ratio_qty="1", parent=order["id"], limit_price=None)
            for name, side in (("AAPL240119C00100000", "buy"), ("AAPL240119C00110000", "sell"))
        ]  # fmt: skip
        assert len(legs) == 2
        return order

    def replace(self, order: Row, **changes: object) -> Row:
        """Replace an order as a person does at Alpaca's site: a new one takes its place."""
        new = order | {
            "id": str(uuid4()), "client_order_id": str(uuid4()), "replaces": order["id"],
            "submitted_at": self.tick(), **changes,
        }  # fmt: skip
        self._end(order, "replaced")
        order["replaced_by"] = new["id"]
        self.orders.append(new)
        return new

    def split(self, symbol: str, new: int, old: int, orders: str = "kept") -> None:
        """Give `new` shares for `old` ones; open orders are kept, carried over or canceled."""
        quantity, average = self.positions[symbol]
        self.positions[symbol] = quantity * new / old, average * old / new
        self.prices[symbol] = self.prices[symbol] * old / new
        for order in self._open(symbol):
            if orders == "canceled":
                self._end(order, "canceled")
            elif orders == "carried":
                order["qty"] = str(Decimal(order["qty"]) * new / old)
                for level in ("limit_price", "stop_price"):
                    if order[level]:
                        order[level] = str(Decimal(order[level]) * old / new)

    def pay_dividend(self, symbol: str, cash: str) -> None:
        """Pay `cash` for each share that is held."""
        quantity, _ = self.positions[symbol]
        self.prices[symbol] -= Decimal(cash)
        self.move_money(str(quantity * Decimal(cash)), "DIV")["symbol"] = symbol

    def rename(self, symbol: str, new_symbol: str, *, orders: bool = True) -> None:
        """Give a symbol, and its open orders if `orders`, a new name."""
        self.prices[new_symbol] = self.prices[symbol]
        self.positions[new_symbol] = self.positions.pop(symbol)
        for order in self._open(symbol) if orders else ():
            order["symbol"] = new_symbol

    def _open(self, symbol: str) -> list[Row]:
        return [each for each in self.orders
                if each["symbol"] == symbol and each["status"] not in DONE]  # fmt: skip

    def order(self, order_id: str) -> Row:
        for order in self.orders:
            if order_id in (order["id"], order["client_order_id"]):
                return order
        raise Refused(404, 40410000, f"order not found for {order_id}")

    def legs(self, entry: Row) -> list[Row]:
        legs = [order for order in self.orders if order["parent"] == entry["id"]]
        return [leg for leg in legs if not (self.hides_replaced and leg["replaced_by"])]

    def shown(self, order: Row, nested: bool) -> Row:
        """Return the order as it is answered; each read advances a cancellation."""
        legs = [self.shown(leg, False) for leg in self.legs(order)] if nested else None
        self._bring_on_cancel(order)
        answer = {name: value for name, value in order.items() if name not in ("parent", "looks")}
        return answer | {"legs": legs or None}

    def _bring_on_cancel(self, order: Row) -> None:
        if order["status"] == "pending_cancel":
            order["looks"] = order.get("looks", 0) + 1
            if order["looks"] > self.slow_cancels:
                self._end(order, "canceled")

    def cancel(self, order_id: str) -> None:
        """Cancel the order and everything else of its bracket."""
        order = self.order(order_id)
        if order["status"] in (*DONE, "pending_cancel"):
            raise Refused(422, 42210000, f'order is already in "{order["status"]}" state')
        for each in self._family(order):
            if each["status"] not in DONE:
                each["status"] = "pending_cancel"
                if not self.slow_cancels:
                    self._end(each, "canceled")

    def _family(self, order: Row) -> Iterator[Row]:
        head = order["parent"] or order["id"]
        return (each for each in self.orders if head in (each["id"], each["parent"]))

    def _end(self, order: Row, status: str) -> None:
        order["status"] = status
        order[f"{status}_at"] = self.tick()

    def move(self, symbol: str, price: str) -> None:
        """Let the market trade at `price` from now on, and fill what fills at it."""
        self.prices[symbol] = Decimal(price)
        for order in [each for each in self.orders if each["symbol"] == symbol]:
            if self._would_fill(order, Decimal(price)):
                self.fill(order)

    def _would_fill(self, order: Row, price: Decimal) -> bool:
        if order["status"] in (*DONE, "pending_cancel") or order["qty"] is None:
            return False
        if order["type"] == "market":
            return True
        if order["parent"] and self.order(order["parent"])["status"] != "filled":
            return False
        level = Decimal(order["limit_price"] or order["stop_price"])
        upwards = (order["side"] == "sell") == (order["type"] == "limit")
        return price >= level if upwards else price <= level

    def fill(self, order: Row, quantity: str | None = None) -> None:
        """Fill the order at the market's price: the rest of it, or `quantity`."""
        left = Decimal(order["qty"]) - Decimal(order["filled_qty"])
        part = Decimal(quantity) if quantity else left
        price = self.prices[order["symbol"]]
        filled = Decimal(order["filled_qty"]) + part
        order |= {"filled_qty": str(filled), "filled_avg_price": str(price)}
        self._report(order, part, price)
        self._book(order, part, price)
        if part < left:
            order["status"] = "partially_filled"
            return
        self._end(order, "filled")
        self._settle(order)

    def _settle(self, order: Row) -> None:
        """Activate the target after the entry, while the stop stays held; end the other exit after
        an exit."""
        for other in self._family(order):
            if order["parent"] and other["status"] not in DONE:
                self._end(other, "canceled" if order["type"] == "limit" else "replaced")
            elif other["parent"] == order["id"] and other["type"] == "limit":
                other["status"] = "new"

    def _report(self, order: Row, quantity: Decimal, price: Decimal) -> None:
        at = self.tick()
        self.activities.append({
            "id": f"{self.now:%Y%m%d%H%M%S}{self.now.microsecond // 1000:03}::{uuid4()}",
            "activity_type": "FILL", "transaction_time": at, "type": "fill",
            "price": str(price), "qty": str(quantity), "side": order["side"],
            "symbol": order["symbol"], "leaves_qty": "0", "order_id": order["id"],
            "cum_qty": order["filled_qty"], "order_status": "filled",
        })  # fmt: skip

    def _book(self, order: Row, quantity: Decimal, price: Decimal) -> None:
        signed = quantity if order["side"] == "buy" else -quantity
        held, average = self.positions.pop(order["symbol"], (Decimal(0), price))
        self.cash -= signed * price
        if held + signed:
            grows = held * signed >= 0
            worth = held * average + signed * price
            new = worth / (held + signed) if grows else average
            self.positions[order["symbol"]] = (held + signed, new)

    def position(self, symbol: str) -> Row:
        quantity, average = self.positions[symbol]
        price = self.prices[symbol]
        return {
            "asset_id": str(uuid4()), "symbol": symbol, "exchange": "NASDAQ",
            "asset_class": "us_equity", "avg_entry_price": str(average), "qty": str(quantity),
            "side": "long" if quantity > 0 else "short",
            "market_value": str(quantity * price), "cost_basis": str(quantity * average),
            "unrealized_pl": str(quantity * (price - average)), "current_price": str(price),
            "lastday_price": str(price), "change_today": "0",
        }  # fmt: skip

    def account(self) -> Row:
        worth = sum(held * self.prices[symbol] for symbol, (held, _) in self.positions.items())
        return {
            "id": self.account_id, "account_number": "PA1", "status": "ACTIVE", "currency": "USD",
            "buying_power": str(self.cash), "cash": str(self.cash),
            "equity": str(self.cash + worth), "last_equity": str(CASH),
            "portfolio_value": str(self.cash + worth), "multiplier": "1",
            "pattern_day_trader": False, "trading_blocked": False, "account_blocked": False,
            "shorting_enabled": True,
        }  # fmt: skip
