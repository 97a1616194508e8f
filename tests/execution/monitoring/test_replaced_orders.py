"""An order that a person replaces at the broker is followed, whatever happens to it next."""

from decimal import Decimal

import pytest

from execution.brokers.protocol import BrokerError
from execution.monitoring.monitor import ask_to_close
from execution.monitoring.problems import account_problems
from execution.monitoring.reconcile import reconcile
from execution.types import ExitReason
from signals.models import Signal
from tests.execution.brokers.alpaca.alpaca_exchange import Row
from tests.execution.monitoring.alpaca_account import AlpacaAccount
from tests.execution.trading_fixtures import (
    ACCOUNT,
    halt_codes,
    orders_of,
    position_of,
    states_of,
)

pytestmark = pytest.mark.django_db


def is_said(account: AlpacaAccount) -> bool:
    """Return whether health says that a position has no stop."""
    found = account_problems(ACCOUNT, account.trading.clock())
    return "execution.unprotected" in [each.kind.code for each in found]


def replaced(account: AlpacaAccount, signal: Signal, **changes: object) -> Row:
    return account.exchange.replace(account.at_exchange(signal, "stop"), **changes)


def test_a_stop_that_follows_the_price_is_followed_and_costs_few_requests(
    account: AlpacaAccount,
) -> None:
    signal = account.trade()
    for cents in range(25):
        entry = orders_of(signal)["entry"]
        account.outside.move_stop(entry.client_order_id, f"{95 + cents / 100:.2f}")
    account.trading.look()
    account.alpaca.requests.clear()
    account.trading.look()
    assert len(account.alpaca.requests) < 20
    assert orders_of(signal)["stop"].level == Decimal("95.24")
    assert reconcile(account.trading.context) == []
    account.move("95.2")
    assert (position_of(signal).status, position_of(signal).exit_reason) == ("closed", "stop")


def test_what_a_smaller_stop_leaves_is_closed(account: AlpacaAccount) -> None:
    signal = account.trade()
    assert not is_said(account)
    replaced(account, signal, qty="60")
    account.trading.look()
    assert is_said(account), "40 are without a stop"
    account.move("94")
    position = position_of(signal)
    assert position.left == 40
    assert position.closing_for == "unprotected"
    assert orders_of(signal)["close"].quantity == 40
    account.move("94")
    assert position_of(signal).status == "closed"
    assert (account.exchange.positions, halt_codes()) == ({}, [])
    account.wait(hours=2)
    assert not is_said(account)


def test_a_position_whose_new_stop_is_rejected_is_closed(account: AlpacaAccount) -> None:
    signal = account.trade()
    replaced(account, signal, stop_price="120", status="rejected")
    account.trading.look()
    assert position_of(signal).closing_for == "unprotected"
    account.move("101")
    assert position_of(signal).status == "closed"
    assert reconcile(account.trading.context) == []


def test_a_replacement_that_is_not_done_yet_leaves_the_old_stop(account: AlpacaAccount) -> None:
    signal = account.trade()
    new = replaced(account, signal, stop_price="96", status="pending_new")
    old = account.exchange.order(new["replaces"])
    old["status"] = "pending_replace"
    account.trading.look()
    assert position_of(signal).closing_for == ""
    assert reconcile(account.trading.context) == []
    old["status"], new["status"] = "replaced", "accepted"
    account.move("95.5")
    assert (position_of(signal).status, position_of(signal).exit_reason) == ("closed", "stop")


def test_a_replacement_that_the_broker_does_not_have_is_a_finding(account: AlpacaAccount) -> None:
    signal = account.trade()
    account.exchange.orders.remove(replaced(account, signal, stop_price="96"))
    with pytest.raises(BrokerError, match="is not there") as caught:
        account.trading.look()
    assert caught.value.unreadable
    assert {each.code for each in reconcile(account.trading.context)} == {"unreadable"}
    assert states_of(signal)["stop"] == "accepted"


def test_a_stop_that_is_moved_while_its_position_is_closed_leaves_nothing(
    account: AlpacaAccount,
) -> None:
    signal = account.trade()
    ask_to_close(position_of(signal), ExitReason.MANUAL)
    stop, cancel, moved = account.at_exchange(signal, "stop"), account.exchange.cancel, list[Row]()

    def racing(order_id: str) -> None:
        if not moved:
            moved.append(account.exchange.replace(stop, stop_price="96"))
        cancel(order_id)

    account.exchange.cancel = racing  # type: ignore[method-assign]
    account.trading.look()
    assert moved
    account.wait(seconds=11)
    account.move("95.5")
    assert (position_of(signal).status, position_of(signal).exit_reason) == ("closed", "manual")
    assert (account.exchange.positions, account.live_stops()) == ({}, [])
    assert not is_said(account)
