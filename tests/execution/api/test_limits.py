"""How much of each limit is left, before and after a proposed trade."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from execution import factory
from execution.accounts import halts
from execution.context import TradingContext
from execution.decisions.what_if import outlook
from execution.models import Decision, Order
from execution.prop_firm.rule_set import DailyLoss, Drawdown, RuleSet, Trail
from execution.risk.model import Limits
from signals.keys import create_key
from signals.market.protocol import FeedError, Quote
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading, rule_set

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("database")]
TRADE = "symbol=AAPL&side=BUY&entry=100&stop=95&quantity=80"
FIRM = RuleSet(
    name="firm",
    source="a test",
    zone="UTC",
    drawdown=Drawdown(percent=Decimal(10)),
    daily_loss=DailyLoss(percent=Decimal(5), basis="equity"),
    min_days=3,
)


@pytest.fixture
def client(trading: Trading, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(factory, "trading_context", lambda: trading.context)
    return Client(headers={"X-API-Key": create_key("looker", ["read"])})


def ask(client: Client, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/execution/limits?{query}")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def by_code(distances: list[dict[str, Any]]) -> dict[str, tuple[float, float, float]]:
    """Return used, limit and left of each limit by its code."""
    names = ("used", "limit", "left")
    return {each["code"]: tuple(float(each[name]) for name in names) for each in distances}  # type: ignore[misc]


def use(monkeypatch: pytest.MonkeyPatch, context: TradingContext) -> None:
    monkeypatch.setattr(factory, "trading_context", lambda: context)


def test_an_account_at_rest_has_all_of_each_limit_left(client: Client) -> None:
    found = ask(client)
    assert (found["account"], found["equity"]) == ("paper", "100000")
    assert by_code(found["before"]) == {
        "positions": (0, 10, 10),
        "size": (0, 10_000, 10_000),
        "buying_power": (0, 100_000, 100_000),
        "daily_loss": (0, 3, 3),
        "drawdown": (0, 10, 10),
        "pace": (0, 10, 10),
        "cooldown": (0, 3, 3),
    }
    for name in ("after", "trade", "denials", "prop_firm"):
        assert found[name] is None
    assert all(isinstance(each["left"], str) for each in found["before"])


def test_what_is_held_and_lost_is_used(client: Client, trading: Trading) -> None:
    trading.trade()
    trading.move(97.0)
    before = by_code(ask(client)["before"])
    assert before["positions"] == (1, 10, 9)
    assert before["held"] == (1, 1, 0)
    assert before["size"][0] == 10_000
    assert before["daily_loss"] == pytest.approx((0.3, 3, 2.7))
    assert before["drawdown"] == pytest.approx((0.3, 10, 9.7))
    assert before["pace"] == (1, 10, 9)


def test_after_a_trade_its_place_its_money_and_its_loss_are_gone(client: Client) -> None:
    found = ask(client, TRADE)
    assert found["denials"] == []
    assert found["trade"] | {"loss": float(found["trade"]["loss"])} == {
        "symbol": "AAPL", "side": "BUY", "quantity": "80", "entry": "100", "stop": "95",
        "price": "100", "loss": 400.0,
    }  # fmt: skip
    after = by_code(found["after"])
    assert after["positions"] == (1, 10, 9)
    assert after["held"] == (1, 1, 0)
    assert after["size"] == (8_000, 9_960, 1_960)
    assert after["buying_power"] == (8_000, 100_000, 92_000)
    assert after["daily_loss"] == pytest.approx((0.4, 3, 2.6))
    assert after["drawdown"] == pytest.approx((0.4, 10, 9.6))
    assert after["pace"] == (1, 10, 9)
    assert after["cooldown"] == (1, 3, 2)
    assert by_code(found["before"])["held"] == (0, 1, 1)


def test_nothing_is_traded_by_asking(client: Client, trading: Trading) -> None:
    signal = trading.log()
    ask(client, f"signal_id={signal.signal_id}")
    ask(client, TRADE)
    assert not Order.objects.exists()
    assert Decision.objects.get().status == "pending"
    assert by_code(ask(client)["before"])["positions"] == (0, 10, 10)


def test_looking_locks_nothing(trading: Trading) -> None:
    """A reader delays no decision: it does not take SQLite's write lock."""
    trading.trade()
    with CaptureQueriesContext(connection) as asked:
        outlook(trading.context)
    statements = [each["sql"] for each in asked]
    locking = ("BEGIN", "SAVEPOINT", "INSERT", "UPDATE", "DELETE")
    assert not [sql for sql in statements if sql.startswith(locking) or "FOR UPDATE" in sql]
    assert any("trading_accounts" in sql for sql in statements)


def test_a_signals_trade_is_sized_as_it_would_be(client: Client, trading: Trading) -> None:
    signal = trading.log(action="SELL")
    found = ask(client, f"signal_id={signal.signal_id}")
    assert (found["trade"]["side"], found["trade"]["quantity"]) == ("SELL", "100")
    assert (found["trade"]["loss"], found["denials"]) == ("500", [])
    trading.decide()
    assert Order.objects.get(leg="entry").quantity == Decimal(found["trade"]["quantity"])


def test_the_denials_are_those_of_the_rules(client: Client, trading: Trading) -> None:
    trading.trade()
    halts.latch("paper", "by_hand", "a pause", trading.clock())
    signal = trading.log(confidence=10.0)
    found = ask(client, f"signal_id={signal.signal_id}")
    trading.decide()
    assert found["denials"] == Decision.objects.get(pk=signal.pk).reasons
    assert [halt["reason"] for halt in found["halts"]] == ["a pause"]
    trading.clock.pass_by(hours=2)
    again = ask(client, f"signal_id={signal.signal_id}")
    assert "stale" in {each["code"] for each in again["denials"]}


def test_a_signal_that_is_not_there_is_not_found(client: Client) -> None:
    assert client.get("/api/execution/limits?signal_id=nothing").status_code == 404


def test_a_loss_counts_from_the_worse_of_price_and_entry(client: Client, trading: Trading) -> None:
    trading.market.quotes["AAPL"] = Quote(100.5, trading.clock())
    assert float(ask(client, TRADE)["trade"]["loss"]) == 440
    trading.market.quotes["AAPL"] = Quote(94.0, trading.clock())
    found = ask(client, TRADE)
    assert float(found["trade"]["loss"]) == 400
    assert {"levels", "distance"} <= {each["code"] for each in found["denials"]}


def test_without_a_price_it_is_denied_and_told_all_the_same(
    client: Client, trading: Trading
) -> None:
    trading.market.quotes["NONE"] = FeedError("no answer")
    found = ask(client, TRADE.replace("AAPL", "NONE"))
    assert {"price", "session"} <= {each["code"] for each in found["denials"]}
    assert by_code(found["after"])["positions"] == (1, 10, 9)


def test_groups_are_told(client: Client, trading: Trading, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(groups=[frozenset({"AAPL", "MSFT"}), frozenset({"KO", "PEP"})])
    use(monkeypatch, replace(trading.context, limits=limits))
    found = ask(client, TRADE)
    assert by_code(found["before"])["group"] == (0, 3, 3)
    assert by_code(found["after"])["group"] == (1, 3, 2)
    assert len([each for each in found["after"] if each["code"] == "group"]) == 1


def test_a_limit_that_is_none_is_not_told(
    client: Client, trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = Limits(max_positions=None, max_position=None, max_daily_loss=None, max_drawdown=None,
                  orders_a_minute=None, max_per_group=None)  # fmt: skip
    use(monkeypatch, replace(trading.context, limits=none))
    assert by_code(ask(client)["before"]).keys() == {"buying_power", "cooldown"}


def test_a_firms_measures_before_and_after(
    client: Client, trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, replace(trading.context, rule_set=FIRM))
    firm = ask(client, TRADE)["prop_firm"]
    assert firm["name"] == "firm"
    assert by_code(firm["before"]) == {
        "drawdown": (0, 10_000, 10_000), "daily_loss": (0, 5_000, 5_000), "min_days": (0, 3, 3),
    }  # fmt: skip
    after = by_code(firm["after"])
    assert after["drawdown"] == (400, 10_000, 9_600)
    assert after["daily_loss"] == (400, 5_000, 4_600)
    assert ask(client)["prop_firm"]["after"] is None


def test_a_firms_measures_count_what_was_lost_since_the_last_mark(
    client: Client, trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, replace(trading.context, rule_set=FIRM))
    trading.trade()
    trading.move(96.0)
    firm = ask(client)["prop_firm"]
    assert by_code(firm["before"])["drawdown"] == (400, 10_000, 9_600)
    assert by_code(firm["before"])["daily_loss"] == (400, 5_000, 4_600)
    assert [each["met"] for each in firm["before"]] == [True, True, False]


def test_a_pause_after_losses_is_told(client: Client, trading: Trading) -> None:
    for _ in range(3):
        trading.trade()
        trading.move(95.0)
        trading.move(100.0)
        trading.clock.pass_by(minutes=2)
        trading.market.quotes["AAPL"] = Quote(100.0, trading.clock())
    assert by_code(ask(client)["before"])["cooldown"] == (3, 3, 0)
    trading.wait(hours=2)
    assert by_code(ask(client)["before"])["cooldown"] == (2, 3, 1)
    assert ask(client, TRADE)["denials"] == []
    trading.trade()
    trading.move(95.0)
    trading.move(100.0)
    found = ask(client, TRADE)
    assert by_code(found["before"])["cooldown"] == (3, 3, 0)
    assert [denial["code"] for denial in found["denials"]] == ["cooldown"]


def test_each_limit_says_what_it_is_counted_from(
    client: Client, trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, replace(trading.context, rule_set=FIRM))
    trading.look()
    trading.trade()
    trading.move(105.0)
    found = ask(client, TRADE)
    began = found["at"].replace("15:00:02", "15:00:00")
    bases = {each["code"]: each["base"] for each in found["before"]}
    assert bases["drawdown"] == {
        "amount": "100500", "at": found["at"], "source": "the highest equity so far",
    }  # fmt: skip
    assert (bases["daily_loss"]["amount"], bases["daily_loss"]["at"]) == ("100000", began)
    assert bases["positions"] is None
    assert {each["code"]: each["base"] for each in found["after"]} == bases | {"held": None}
    firm = {each["code"]: each["base"] for each in found["prop_firm"]["before"]}
    assert firm["drawdown"]["amount"] == firm["min_days"]["amount"] == "100000"
    assert firm["drawdown"]["source"] == "the starting balance: stated by a person or a setting"
    assert firm["daily_loss"]["amount"] == "100000"


@pytest.mark.parametrize(
    ("figure", "amount", "word"), [("equity", "100500", "equity"), ("balance", "100000", "balance")]
)
def test_a_trailing_drawdown_says_which_peak_it_is_counted_from(
    client: Client, trading: Trading, monkeypatch: pytest.MonkeyPatch, figure: str, amount: str,
    word: str,
) -> None:  # fmt: skip
    trail = Trail(peak=figure, rises="at_once")  # type: ignore[arg-type]
    drawdown = Drawdown(percent=Decimal(5), watched=figure, trail=trail)  # type: ignore[arg-type]
    daily = DailyLoss(percent=Decimal(3), basis="equity")
    use(
        monkeypatch,
        replace(trading.context, rule_set=rule_set(drawdown=drawdown, daily_loss=daily)),
    )
    trading.trade()
    trading.move(105.0)
    trading.wait(days=1)
    trading.look()
    trading.move(102.0)
    firm = {each["code"]: each["base"] for each in ask(client)["prop_firm"]["before"]}
    assert firm["drawdown"]["amount"] == amount
    assert firm["drawdown"]["source"].startswith(f"the highest {word} so far")
    assert firm["daily_loss"]["amount"] == "100500"
    assert firm["daily_loss"]["source"].startswith("the day's first equity")
