"""The dashboard: what each panel says with and without rows, and that none hides another."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import DatabaseError
from django.test import Client
from pytest_django import Settings

from argo.dashboard import accounts, decisions, equity, intervals, positions, status, views
from argo.dashboard.panel import Moment, Panel, read_each
from argo.groups import TRADER, VIEWER
from argo.health import registry
from execution.accounts import halts
from execution.models import EquityDay, Position, SeenPrices, TradingAccount
from execution.money import ONE
from execution.types import REPLAY, HaltCode
from signals.analysis import intervals as analysis
from signals.config import flusher, journal
from signals.ledger.outcomes import record_outcome
from signals.ledger.sums.update import update_sums
from signals.tracker import SignalTracker
from tests.argo.pages import client_of, shown
from tests.execution.trading_fixtures import ACCOUNT, Trading
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
NOW = datetime(2025, 1, 16, 15, tzinfo=UTC)


def panel(page: str, name: str) -> str:
    """Return the text of one panel, without its tags."""
    found = re.search(rf'aria-labelledby="{name}-title">(.*?)</section>', page, re.DOTALL)
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


@pytest.fixture
def viewer() -> Client:
    return client_of()


@pytest.fixture
def traded() -> Trading:
    """Return an account with a trade that won, one that lost, and one that is open."""
    trading = Trading.begun(journal())
    trading.trade(100.0)
    trading.move(110.0)
    trading.move(100.0)
    trading.trade(100.0)
    trading.move(94.0)
    trading.move(100.0)
    trading.trade(100.0)
    return trading


def test_an_empty_argo_says_in_every_panel_what_to_do_next(viewer: Client) -> None:
    page = shown(viewer, "/")
    assert "Log or import some" in panel(page, "signals")
    assert "Nothing is open on paper" in panel(page, "positions")
    assert "No signal was skipped" in panel(page, "decisions")
    assert "No live signal came in the last hour" in panel(page, "intake")
    assert "there is no curve" in panel(page, "equity")
    assert "There are no signals yet" in panel(page, "worth")
    assert "No signal has closed yet" in panel(page, "confidence")
    assert "None" not in re.sub(r"<[^>]+>", "", page)


def test_a_trader_sees_what_happened_and_each_figure_leads_to_its_rows(
    viewer: Client, traded: Trading
) -> None:
    page = shown(viewer, "/")
    assert "AAPL" in panel(page, "signals")
    assert "1 open on paper" in panel(page, "positions")
    links = set(re.findall(r'href="(/(?:admin|signals|report)/[^"]*)"', page))
    assert len(links) > 25
    for link in links:
        assert viewer.get(link.replace("&amp;", "&")).status_code == 200, link


def test_the_problems_and_what_to_do_come_first(viewer: Client, settings: Settings) -> None:
    halts.latch(ACCOUNT, HaltCode.BY_HAND, "the news", NOW, by="admin:chief")
    text = panel(shown(viewer, "/"), "status")
    assert re.match(r"Is all well\? \d+ problems? Begin with the first one\.", text)
    assert "1 halt on paper: the news" in text


def test_a_problem_leads_to_the_rows_that_a_person_acts_on(viewer: Client) -> None:
    journal().append([b"garbage"])
    flusher().flush()
    assert 'href="/admin/signals/deadletter/">Dead letters</a>' in shown(viewer, "/")


def test_every_problem_with_a_place_is_one_of_the_registry() -> None:
    assert status.PLACES.keys() <= registry.kinds().keys()
    assert all(status._place(code) for code in status.PLACES)


@pytest.mark.parametrize(("group", "offered"), [(VIEWER, False), (TRADER, True)])
def test_who_may_trade_can_halt_at_once(group: str, offered: bool) -> None:
    assert ("Halt trading" in panel(shown(client_of(group), "/"), "status")) is offered


def test_all_is_well_without_a_problem(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argo.health.registry.problems", lambda now: [])
    assert "all is well No check found a problem." in panel(shown(viewer, "/"), "status")


def test_an_open_position_has_its_distance_to_stop_and_target(traded: Trading) -> None:
    SeenPrices.objects.update(bars=[["2025-01-15T21:00:00Z", 104.0]])
    (row,) = positions.read(Moment(NOW, ACCOUNT))["rows"]
    assert (float(row["moved"]), float(row["profit"])) == (4.0, 400.0)
    assert float(row["to_stop"]) == pytest.approx(100 * 9 / 104)
    assert float(row["to_target"]) == pytest.approx(100 * 6 / 104)
    SeenPrices.objects.update(doubt="it fell by half")
    (row,) = positions.read(Moment(NOW, ACCOUNT))["rows"]
    assert row["price"] is None


def test_drawdown_is_counted_from_the_highest_end_of_a_day(traded: Trading) -> None:
    EquityDay.objects.all().delete()
    for number, end in enumerate(map(Decimal, (110_000, 99_000, 120_000, 119_000))):
        day = NOW.date() + timedelta(days=number)
        EquityDay.objects.create(
            account=ACCOUNT, day=day, first_equity=end, first_balance=end,
            highest_equity=end, highest_balance=end, lowest_equity=end, last_equity=end,
            last_balance=end, marked_at=NOW,
        )  # fmt: skip
    found = equity.read(Moment(NOW, ACCOUNT))
    assert (found["equity"], found["gain"], found["gain_pct"]) == (119_000, 19_000, 19)
    assert found["worst_pct"] == -10.0
    assert found["drawdown_pct"] == pytest.approx(-100 / 120, abs=0.001)


def test_a_thinned_curve_keeps_its_deepest_drawdown() -> None:
    depths = [0.0] * 4 + [-20.0] + [0.0] * 2_000
    ends = equity._ends(len(depths))
    assert len(ends) <= equity.POINTS
    assert ends[-1] == len(depths) - 1
    assert equity._deepest(depths, ends).count(-20.0) == 1


@pytest.mark.parametrize("account", [ACCOUNT, REPLAY])
def test_no_market_is_opened_for_the_prices_of_open_positions(
    viewer: Client, traded: Trading, monkeypatch: pytest.MonkeyPatch, account: str
) -> None:
    """Its library takes a second and 80 MiB, and a file's last price is of no replay's time."""

    def opened(*of: object) -> None:
        raise AssertionError("the market was opened")

    Position.objects.update(account=account)
    TradingAccount.objects.update(name=account)
    SeenPrices.objects.all().delete()
    for name in ("argo.reports.explain.prices.Market.of_settings", "signals.config.market"):
        monkeypatch.setattr(name, opened)
    text = panel(shown(viewer, f"/?account={account}"), "positions")
    assert f"1 open on {account}" in text
    assert "No price since it was opened: stop" in text


def test_a_price_from_before_a_position_tells_no_profit(traded: Trading) -> None:
    (position,) = Position.objects.open_on(ACCOUNT)
    for seconds, is_known in ((-1, False), (0, True)):
        at = position.opened_at + timedelta(seconds=seconds)
        SeenPrices.objects.update(bars=[[at.isoformat(), 104.0]])
        (row,) = positions.read(Moment(NOW, ACCOUNT))["rows"]
        assert (row["price"] is not None, "profit" in row) == (is_known, is_known)


def test_a_panel_that_cannot_be_read_says_so_and_hides_no_other(viewer: Client) -> None:
    def broken(moment: Moment) -> dict[str, object]:
        raise DatabaseError("the disk is away")

    panels = (Panel("status", "One", broken), Panel("decisions", "Two", decisions.read))
    one, two = read_each(panels, Moment(NOW, ACCOUNT))
    assert one["failure"] == "the disk is away"
    assert two["content"]["account"] == ACCOUNT


def test_panels_are_read_again_by_themselves(viewer: Client) -> None:
    page = shown(viewer, "/")
    for name, found in views.SETS.items():
        assert f'hx-get="/dashboard/panels/?set={name}&amp;account=paper"' in page
        text = shown(viewer, f"/dashboard/panels/?set={name}")
        assert text.count("<section") == len(found)
    assert shown(viewer, "/dashboard/panels/?set=none").strip() == ""


def test_without_a_login_the_panels_ask_for_a_new_page(client: Client) -> None:
    answer = client.get("/dashboard/panels/?set=live")
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (401, "true")
    assert b"<section" not in answer.content


def test_win_rate_and_confidence_come_from_the_sums(viewer: Client) -> None:
    made = [a_signal(confidence=87 + number / 100) for number in range(40)]
    for number, signal_id in enumerate(SignalTracker("python").log_signals(made)):
        outcome, price = ("win", 158.0) if number % 2 else ("loss", 146.0)
        record_outcome(
            signal_id, outcome=outcome, exit_price=price, who="x", why="y", now=NOW,
            journal=journal(),
        )  # fmt: skip
    update_sums()
    page = shown(viewer, "/")
    assert "Win rate 50.0% 35.2% to 64.8%" in panel(page, "worth")
    assert "85 to 90 40 50.0% 35.2% to 64.8%" in panel(page, "confidence")


@pytest.mark.parametrize(("won", "n"), [(0, 40), (20, 40), (39, 40), (12, 31)])
def test_intervals_are_those_of_the_analysis(won: int, n: int) -> None:
    share, expected = intervals.of_share(won, n), analysis.of_share(won, n)
    assert share
    assert expected
    assert share == pytest.approx((expected.low, expected.high))
    results = np.array([2.0] * won + [-1.0] * (n - won))
    mean = intervals.of_mean(float(results.mean()), float(results.std(ddof=1)), n)
    expected = analysis.of_mean(results)
    assert mean
    assert expected
    assert mean == pytest.approx((expected.low, expected.high))
    assert intervals.of_share(1, 29) is intervals.of_mean(0.0, 1.0, 29) is None


def test_the_replay_is_shown_until_the_account_has_traded() -> None:
    TradingAccount.objects.create(
        name=REPLAY, start_equity=ONE, start_balance=ONE, peak_equity=ONE, opened_at=NOW
    )
    assert accounts.chosen("") == REPLAY
    assert accounts.chosen(ACCOUNT) == ACCOUNT
    Trading.begun(journal()).trade(100.0)
    assert accounts.chosen("") == ACCOUNT
    assert accounts.chosen("nobody's") == ACCOUNT
