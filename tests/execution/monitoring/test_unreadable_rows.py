"""A row of the broker that Argo cannot read is a finding, and hides nothing else."""

from collections.abc import Callable, Iterator

import pytest

from execution import tasks
from execution.brokers.protocol import BrokerError
from execution.monitoring.reconcile import reconcile, settle
from tests.execution.brokers.alpaca.alpaca_exchange import Row
from tests.execution.monitoring.alpaca_account import AlpacaAccount
from tests.execution.trading_fixtures import SYMBOL, halt_codes, position_of, states_of
from tests.signals.market.alpaca_server import in_json

pytestmark = pytest.mark.django_db
Spoil = Callable[[AlpacaAccount], None]


def position_by_hand(**changes: object) -> Spoil:
    """Return what lets the broker list an option that a person bought, with these changes."""

    def spoil(account: AlpacaAccount) -> None:
        ours = account.exchange.position(SYMBOL)
        option: Row = {"symbol": "AAPL250221C00100000", "asset_class": "us_option", "qty": "1"}
        account.alpaca.instead("GET /positions", in_json([ours | option | changes, ours]))

    return spoil


def activity(**changes: object) -> Spoil:
    """Return what lets the broker list a deposit with these changes."""
    return lambda account: account.exchange.move_money("500").update(changes)


def order_by_hand(**changes: object) -> Spoil:
    """Return what lets a person place an order with these changes."""
    return lambda account: account.exchange.by_hand().update(changes)


SPOILED = {
    "an option without a price": position_by_hand(current_price=None, unrealized_pl=None),
    "a position without a symbol": position_by_hand(symbol=None),
    "a quantity that is no number": position_by_hand(qty="NaN"),
    "a deposit without an amount": activity(net_amount=None),
    "a deposit without a time": activity(date="soon"),
    "a type that nobody knows": order_by_hand(type="iceberg"),
    "a status that nobody knows": order_by_hand(status="asleep"),
    "a side that nobody knows": order_by_hand(side="sell_short_exempt"),
    "an order without an id": order_by_hand(id=None),
}


def look(account: AlpacaAccount) -> None:
    """Let the monitor look; the failure that it reports at the end may be the broker's."""
    try:
        account.trading.look()
    except BrokerError as error:
        assert error.unreadable  # noqa: PT017


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_what_cannot_be_read_is_a_finding_and_what_is_due_is_closed(
    account: AlpacaAccount, spoil: Spoil
) -> None:
    signal = account.trade()
    spoil(account)
    found = reconcile(account.trading.context)
    assert {each.code for each in found} == {"unreadable"}
    assert halt_codes() == ["mismatch"]
    account.wait(days=31)
    look(account)
    assert position_of(signal).closing_for == "expired"
    account.exchange.fill(account.at_exchange(signal, "close"))
    look(account)
    assert position_of(signal).status == "closed"


@pytest.fixture
def restarted(account: AlpacaAccount, monkeypatch: pytest.MonkeyPatch) -> Iterator[AlpacaAccount]:
    """Return the account in a process that has just begun."""
    tasks._ready_context.cache_clear()
    monkeypatch.setattr(tasks, "trading_context", lambda: account.trading.context)
    yield account
    tasks._ready_context.cache_clear()


def test_after_a_restart_what_is_due_is_closed_even_if_the_records_cannot_be_compared(
    restarted: AlpacaAccount,
) -> None:
    signal = restarted.trade()
    restarted.wait(days=31)
    restarted.trading.broker.before["account"] = BrokerError("429", permanent=False)
    with pytest.raises(BrokerError, match="429"):
        tasks.monitor()
    assert (position_of(signal).closing_for, states_of(signal)["close"]) == ("expired", "accepted")


def test_a_position_without_a_symbol_is_not_taken_for_a_missing_one(
    account: AlpacaAccount,
) -> None:
    signal = account.trade()
    nameless = account.exchange.position(SYMBOL) | {"symbol": None}
    account.alpaca.instead("GET /positions", in_json([nameless]))
    (text,) = settle(account.trading.context, by="ann", why="to be sure")
    assert "look at it at the broker" in text
    assert position_of(signal).status == "open"
    assert len(account.live_stops()) == 1
