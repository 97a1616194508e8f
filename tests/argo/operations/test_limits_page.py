"""The page of limits: how much is left, and what a trade would leave."""

import re
from decimal import Decimal

import pytest
from django.test import Client

from execution import factory
from execution.accounts import halts
from execution.brokers.protocol import BrokerError
from execution.prop_firm.rule_set import Drawdown, RuleSet
from execution.risk.model import Limits
from signals.config import journal
from tests.argo.pages import HOSTILE, client_of, shown
from tests.execution.trading_fixtures import ACCOUNT, Trading

pytestmark = pytest.mark.django_db
TRADE = "symbol=AAPL&side=BUY&entry=100&stop=95&quantity=80"
FIRM = RuleSet(name="firm", source="a test", zone="UTC", drawdown=Drawdown(percent=Decimal(10)))


@pytest.fixture
def trading(monkeypatch: pytest.MonkeyPatch) -> Trading:
    made = Trading.begun(journal(), limits=Limits(max_positions=2), rule_set=FIRM)
    monkeypatch.setattr(factory, "trading_context", lambda: made.context)
    return made


@pytest.fixture
def viewer(trading: Trading) -> Client:
    return client_of()


def row(page: str, code: str) -> list[str]:
    """Return the texts of a limit's cells."""
    found = re.search(rf"<tr><td><code>{code}</code>(.*?)</tr>", page, re.DOTALL)
    assert found
    return [re.sub(r"<progress.*?</progress>|<[^>]+>", "", each).strip()
            for each in found[1].split("<td")[1:]]  # fmt: skip


def cells(page: str, code: str) -> list[str]:
    return [each.partition(">")[2].strip() or each for each in row(page, code)]


def test_each_limit_is_shown_with_what_is_left(viewer: Client, trading: Trading) -> None:
    trading.trade()
    page = shown(viewer, "/limits/")
    assert cells(page, "positions")[1:] == ["50.0%", "2", "1"]
    assert cells(page, "drawdown")[2] == "10%"
    assert "Rules of firm" in page
    assert "After the trade" in page
    assert "Left after the trade" not in page


def test_a_trade_is_shown_with_what_it_would_leave_and_why_it_is_denied(
    viewer: Client, trading: Trading
) -> None:
    page = shown(viewer, f"/limits/?{TRADE}")
    assert "allowed now" in page
    assert "it loses 400 at its stop" in page
    assert cells(page, "positions")[1:] == ["0.0%", "2", "2", "1"]
    halts.latch(ACCOUNT, "by_hand", HOSTILE, trading.clock(), by="anna")
    signal = trading.log()
    page = shown(viewer, f"/limits/?signal_id={signal.signal_id}")
    assert "denied now" in page
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("symbol=AAPL", "a trade needs symbol, side, entry and stop"),
        (f"{TRADE}&signal_id=x", "give either a signal_id or another trade"),
        ("signal_id=none", "none"),
        ("symbol=AAPL&side=BUY&entry=-1&stop=95", "entry: "),
        ("symbol=AAPL&side=BUY&entry=NaN&stop=95", "entry: "),
    ],
)
def test_an_invalid_trade_is_a_sentence_on_the_page(viewer: Client, query: str, fault: str) -> None:
    page = shown(viewer, f"/limits/?{query}")
    assert fault in page.partition('role="alert"')[2]


def test_a_hostile_trade_is_shown_as_text(viewer: Client) -> None:
    answer = viewer.get("/limits/", {"signal_id": HOSTILE, "symbol": HOSTILE})
    assert "<script>alert" not in answer.content.decode()
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_broker_that_fails_leaves_the_other_accounts_on_the_page(
    viewer: Client, trading: Trading, monkeypatch: pytest.MonkeyPatch
) -> None:
    trading.trade()

    def fails() -> None:
        raise BrokerError("the broker is away", permanent=False)

    monkeypatch.setattr(trading.broker, "account", fails, raising=False)
    page = shown(viewer, "/limits/")
    assert "the broker is away" in page
    assert "Argo trades on it" in page
