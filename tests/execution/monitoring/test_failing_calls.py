"""Whatever fails while a position is closed or an order is placed, nothing is left behind."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest

from execution.brokers.protocol import BrokerError
from execution.models import Position
from execution.monitoring.monitor import ask_to_close
from execution.monitoring.problems import account_problems
from execution.monitoring.reconcile import reconcile
from execution.types import ExitReason
from tests.execution.brokers.alpaca.alpaca_exchange import Exchange, Row
from tests.execution.monitoring.alpaca_account import AlpacaAccount
from tests.execution.trading_fixtures import ACCOUNT, SYMBOL, halt_codes, position_of
from tests.signals.market.alpaca_server import in_json
from tests.sync.alpine_server import Behave, answer, cut_short, reset

pytestmark = pytest.mark.django_db
REFUSED = {"code": 1, "message": "not now"}
FAILURES: dict[str, Behave] = {
    **{str(status): in_json(REFUSED, status) for status in (400, 403, 409, 429, 504)},
    "reset": reset,
    "cut": cut_short,
    "html": answer(200, b"<html>"),
}


def look(account: AlpacaAccount) -> None:
    """Let the monitor look; it may report that the broker fails."""
    with suppress(BrokerError):
        account.trading.look()


def is_safe(account: AlpacaAccount) -> bool:
    """Return whether the position has a stop, or health says that it has none."""
    found = account_problems(ACCOUNT, account.trading.clock())
    return bool(account.live_stops()) or "execution.unprotected" in [x.kind.code for x in found]


@pytest.mark.parametrize(
    ("what", "how"),
    [
        ("POST /orders", "429"),
        ("POST /orders", "cut"),
        ("DELETE /orders", "403"),
        ("DELETE /orders", "504"),
        ("GET /positions", "reset"),
        ("GET /positions", "400"),
    ],
)
def test_a_close_that_fails_in_any_step_leaves_the_position_safe(
    account: AlpacaAccount, what: str, how: str
) -> None:
    signal = account.trade()
    ask_to_close(position_of(signal), ExitReason.MANUAL)
    account.alpaca.instead(what, FAILURES[how])
    for _ in range(2):
        look(account)
        assert is_safe(account)
        account.wait(seconds=11)
    account.alpaca.troubles.clear()
    for _ in range(3):
        account.wait(seconds=61)
        look(account)
        account.move("100")
    assert position_of(signal).status == "closed"
    assert (account.live_stops(), account.exchange.positions) == ([], {})
    assert reconcile(account.trading.context) == []


def test_a_close_that_is_refused_after_a_part_of_it_filled_is_made_again_for_the_rest(
    account: AlpacaAccount,
) -> None:
    signal = account.trade()
    ask_to_close(position_of(signal), ExitReason.MANUAL)
    account.trading.look()
    close = account.at_exchange(signal, "close")
    account.exchange.fill(close, "30")
    account.exchange._end(close, "canceled")
    account.outside.refuse_closes(403)
    for _ in range(2):
        look(account)
        assert is_safe(account)
    (stop,) = account.live_stops()
    assert (stop["qty"], stop["stop_price"]) == ("70", "95")
    account.outside.refuse_closes(0)
    account.wait(minutes=2)
    account.trading.look()
    account.move("101")
    assert position_of(signal).status == "closed"
    assert (account.live_stops(), account.exchange.positions) == ([], {})
    assert halt_codes() == []


def _changed(exchange: Exchange, entry: Row) -> None:
    """Let a person change the quantity of an entry, and with it its exits."""
    new = exchange.replace(entry, qty="40")
    for leg in exchange.legs(entry):
        leg |= {"parent": new["id"], "qty": "40"}


def _closed(exchange: Exchange, entry: Row) -> None:
    exchange.fill(entry)
    exchange.move(SYMBOL, "111")


MEANWHILE: dict[str, Callable[[Exchange, Row], None]] = {
    "it waits": lambda exchange, entry: None,
    "a part fills": lambda exchange, entry: exchange.fill(entry, "30"),
    "it fills": lambda exchange, entry: exchange.fill(entry),
    "it is canceled": lambda exchange, entry: exchange.cancel(entry["id"]),
    "it is replaced": _changed,
    "it is closed": _closed,
}


@pytest.mark.parametrize(
    ("how", "then"),
    [*(("403", then) for then in MEANWHILE), ("409", "it waits"), ("html", "it fills")],
)
def test_an_order_that_was_placed_counts_whatever_the_answer_was(
    account: AlpacaAccount, how: str, then: str
) -> None:
    account.quote(100.0)
    place = account.exchange._place

    def placing(asked: Row) -> Row:
        row = place(asked)
        account.exchange.prices[SYMBOL] = Decimal(100)
        MEANWHILE[then](account.exchange, row)
        return row

    account.exchange._place = placing  # type: ignore[method-assign]
    account.alpaca.after("POST /orders", FAILURES[how])
    signal = account.trading.log()
    account.trading.decide()
    account.exchange._place = place  # type: ignore[method-assign]
    account.alpaca.troubles.clear()
    account.wait(seconds=11)
    account.move("100")
    account.trading.look()
    held = account.exchange.positions.get(SYMBOL, (Decimal(0), None))[0]
    ours = Position.objects.filter(pk=signal.pk).first()
    assert (ours.left if ours else 0) == held
    assert (reconcile(account.trading.context), halt_codes()) == ([], [])
