"""The accounts over HTTP."""

import pytest
from django.test import Client

from execution.accounts import changes, halts
from execution.models import TradingAccount
from execution.types import HaltCode
from signals.keys import create_key
from tests.execution.trading_fixtures import Trading

pytestmark = pytest.mark.django_db
PATH = "/api/execution/accounts"


@pytest.fixture
def client(db: None) -> Client:
    return Client(headers={"X-API-Key": create_key("reader", ["read"])})


def test_without_a_trade_there_is_none(client: Client) -> None:
    assert client.get(PATH).json() == []
    answer = client.get(f"{PATH}/paper")
    assert (answer.status_code, answer.json()["detail"]) == (
        404, "There is no account 'paper'; there are none yet.",
    )  # fmt: skip


def test_each_account_has_its_money_positions_and_halts(client: Client, trading: Trading) -> None:
    trading.trade()
    name = trading.context.account
    (found,) = client.get(PATH).json()
    row = TradingAccount.objects.get()
    assert (found["name"], found["state"], found["halts"]) == (name, "trading", [])
    assert (found["open_positions"], found["start_balance"]) == (1, f"{row.start_balance:f}")
    assert found["open_orders"] > 0
    assert float(found["latest"]["last_equity"]) > 0
    halts.latch(name, HaltCode.BY_HAND, "a test", trading.clock(), by="me")
    halted = client.get(f"{PATH}/{name}").json()
    assert (halted["state"], halted["halts"]) == ("halted", [HaltCode.BY_HAND])


def test_one_account_has_the_changes_of_its_base(client: Client, trading: Trading) -> None:
    trading.trade()
    changes.restart_count(trading.context, by="anna", why="a new start")
    found = client.get(f"{PATH}/{trading.context.account}").json()
    (change,) = found["changes"]
    assert (change["kind"], change["by"], change["why"]) == ("restart", "anna", "a new start")
    assert found["base"] == "restart"


@pytest.mark.parametrize("name", ["nobody", "%00", "A%0AB"])
def test_an_unknown_account_is_not_found(client: Client, trading: Trading, name: str) -> None:
    trading.trade()
    assert client.get(f"{PATH}/{name}").status_code == 404
