"""The report compares signal, backtest and account: on a replay nothing stays unexplained."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from argo.reports.divergence.comparing import NO_TRADE
from argo.reports.explain.prices import waiting
from argo.reports.explain.story import explain
from argo.reports.explain.text import story_text
from argo.reports.page import report_page
from argo.reports.report import make_report
from argo.reports.text import report_text
from execution.analysis.selection import DecidedSelection
from execution.models import Position
from signals.clock import utc_now
from signals.config import journal
from tests.execution.trading_fixtures import Trading

pytestmark = pytest.mark.django_db

PERIOD = ("--symbols", "AAPL,IBM", "--from", "2008-01-01", "--to", "2009-06-30")


def report(**filters: Any) -> dict[str, Any]:  # noqa: ANN401
    return make_report(DecidedSelection(**filters), utc_now())


def test_every_difference_of_a_replay_is_explained_to_the_cent(settings: Settings) -> None:
    settings.PAPER_FEE = 0.05
    call_command("replay", "--execute", *PERIOD, stdout=StringIO())
    made = report()
    found = made["divergence"]
    closed = Position.objects.filter(status="closed").count()
    assert (found["compared"], found["not_compared"], found["null_because"]) == (closed, {}, None)
    assert closed > 10

    to_account = found["from_backtest_to_account"]
    assert to_account["difference_pct"]["value"] == 0
    assert list(to_account["causes"]) == ["unexplained"]
    assert to_account["causes"]["unexplained"]["value"] == 0
    to_backtest = found["from_signal_to_backtest"]
    assert set(to_backtest["causes"]) == {"gap", "spread", "slippage", "fee"}
    parts = sum(cause["value"] for cause in to_backtest["causes"].values())
    assert parts == pytest.approx(to_backtest["difference_pct"]["value"], abs=1e-6)
    assert to_backtest["causes"]["fee"]["value"] == pytest.approx(-0.1, abs=0.01)

    groups = made["groups"]["account_kind"]
    assert list(groups) == ["replay", "backtest of replay"]
    for name in ("closed", "win_rate", "expectancy_pct"):
        of_account, of_backtest = (each[name] for each in groups.values())
        if name == "expectancy_pct":
            assert of_account["value"] == pytest.approx(of_backtest["value"])
        else:
            assert of_account == of_backtest

    worst = found["worst"]
    fell = [row["results_pct"]["account"] - row["results_pct"]["signal"] for row in worst]
    assert fell == sorted(fell)
    signal_id = worst[0]["signal_id"]
    text, page = report_text(made), report_page(made)
    assert signal_id in text
    assert re.search(r"From the backtest to the account +0.000%", text)
    assert f"/signals/?id={signal_id}" in page
    story = explain(signal_id)
    assert story.divergence == worst[0] | {"problem": None}
    assert "backtest: gap" in story_text(story)


def test_without_a_closed_trade_there_is_nothing_to_compare() -> None:
    assert report()["divergence"]["null_because"] == NO_TRADE
    trading = Trading.begun(journal())
    signal = trading.trade(100.5)
    found = report()
    assert found["divergence"]["null_because"] == NO_TRADE
    assert found["divergence"]["results"]["account"]["value"] is None
    assert "account_kind" not in found["groups"]
    assert explain(signal.signal_id).divergence == {"problem": NO_TRADE}
    assert "Signal, backtest and account" in report_text(found)


def test_a_trade_without_bars_is_counted_with_the_reason() -> None:
    trading = Trading.begun(journal())
    signal = trading.trade(100.5)
    trading.move(110.0)
    found = report()["divergence"]
    assert sum(found["not_compared"].values()) == 1
    assert found["null_because"]
    assert explain(signal.signal_id).divergence == {"problem": next(iter(found["not_compared"]))}


def test_a_market_that_is_busy_or_broken_costs_the_report_nothing_but_this_section(
    settings: Settings,
) -> None:
    trading = Trading.begun(journal())
    trading.trade(100.5)
    trading.move(110.0)
    slots, taken = waiting(), 0
    while slots.acquire(blocking=False):
        taken += 1
    assert "try again" in report()["divergence"]["null_because"]
    slots.release()
    for _ in range(2):
        assert "try again" not in report()["divergence"]["null_because"], "the slot is given back"
    for _ in range(taken - 1):
        slots.release()
    settings.MARKET_DATA = "files"
    settings.MARKET_FOLDER = settings.DATA_DIR / "nowhere"
    found = report()
    assert found["divergence"]["null_because"]
    assert found["counts"]["executed"] == 1
