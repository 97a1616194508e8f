"""A signal's page: prices as a chart and a table, votes, the decision, the trade, and the proof."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from argo.groups import TRADER, VIEWER
from argo.reports.explain.schemas import BarOut
from argo.reports.explain.story import explain
from argo.signal_page.prices import drawn, levels_of
from argo.signal_page.votes import votes_of
from signals.admin.markup import signal_url
from signals.config import journal
from signals.models import Signal
from signals.tracker import SignalTracker
from tests.argo.pages import client_of, shown
from tests.execution.trading_fixtures import Trading
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
MSFT = {
    "symbol": "MSFT", "action": "BUY", "entry_price": 13.5844, "target_price": 14.26,
    "stop_price": 13.18, "timestamp": "2009-01-22T21:00:00Z", "confidence": 83.5, "regime": "BULL",
    "votes": [
        {"source": "trend", "direction": "BUY", "confidence": 90.0, "weight": 0.5,
         "figures": {"ADX14": 31.25}},
        {"source": "volume", "direction": "SELL", "confidence": 60.0, "weight": 0.5, "figures": {}},
        {"source": "breakout", "direction": None, "confidence": None, "weight": 0.5},
    ],
}  # fmt: skip


def log(**changes: Any) -> Signal:  # noqa: ANN401
    signal_id = SignalTracker("generator").log_signal(a_signal(**(MSFT | changes)))
    return Signal.objects.get(signal_id=signal_id)


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="prices" type="application/json">(.*?)</script>', page)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def at(day: int) -> datetime:
    return datetime(2009, 1, day, 21, tzinfo=UTC)


def bar(day: int) -> BarOut:
    return BarOut(time=at(day), open=13, high=14, low=12, close=13.5, volume=1)


def test_the_page_of_a_signal_shows_its_prices_votes_and_proof() -> None:
    page = shown(client_of(), signal_url(log().signal_id))
    data = data_of(page)
    assert [level["name"] for level in data["levels"]] == ["target", "entry", "stop"]
    assert [mark["kind"] for mark in data["marks"]] == ["signal"]
    times = [each["time"] for each in data["bars"]]
    assert times == sorted(set(times))
    assert at(22).timestamp() in times
    assert page.count("<tr><td>2009-01-22 21:00</td>") == 1  # the same as a table
    assert "Row, hash and journal line agree." in page
    assert 'aria-label="BUY with a confidence of 90.0"' in page
    assert "ADX14 31.25" in page
    assert "abstained" in page
    assert "It is not decided yet." in page


def test_the_page_of_a_trade_shows_each_rule_the_orders_and_the_fills() -> None:
    trading = Trading.begun(journal())
    signal = trading.trade(100.0)
    trading.move(110.0)
    page = shown(client_of(), signal_url(signal.signal_id))
    assert "buying_power" in page
    assert page.count('<span class="tag good">passed</span>') > 5
    assert "+1,000.00" in page  # 100 shares from 100 to 110
    assert "+10.00%" in page
    assert "Position closed" in page
    assert "decided by its position" in page


def test_fills_are_drawn_on_the_bar_in_which_they_were() -> None:
    story = explain(log().signal_id)
    story.prices.seen, story.prices.after = [bar(21), bar(22)], [bar(22), bar(23), bar(26)]
    rows: Any = [{"leg": "entry", "side": "BUY"}, {"leg": "stop", "side": "SELL"}]
    fill: Any = {"refused": "", "fill_id": "1", "quantity": "1", "fee": "0"}
    story.orders, story.fills = (
        rows,
        [
            fill | {"leg": "entry", "price": "13.6", "time": at(22).replace(hour=22)},
            fill | {"leg": "stop", "price": "13.18", "time": at(25)},
            fill | {"leg": "stop", "price": "1", "time": at(25), "refused": "no order"},
        ],
    )
    found = drawn(story)
    assert found
    days = [datetime.fromtimestamp(mark["time"], UTC).day for mark in found["marks"]]
    assert days == [22, 23, 26]
    assert [mark["text"] for mark in found["marks"]] == ["signal", "entry 13.6", "stop 13.18"]
    assert [mark["shape"] for mark in found["marks"]] == ["circle", "arrowUp", "arrowDown"]
    assert [mark["is_above"] for mark in found["marks"]] == [True, False, True]
    assert len(found["bars"]) == 4


def test_without_bars_there_is_no_chart_but_the_reason() -> None:
    page = shown(client_of(), signal_url(log(symbol="NOPE").signal_id))
    assert "There is no chart: there are no bars of" in page
    assert "lightweight-charts" not in page


def test_distances_need_valid_prices() -> None:
    prices = {"entry_price": 100.0, "stop_price": 95.0, "target_price": 110.0}
    assert levels_of(prices) == {"risk": 5.0, "reward": 10.0, "ratio": 2.0}
    assert levels_of(prices | {"stop_price": 100.0})["ratio"] is None
    assert levels_of(prices | {"entry_price": 0.0}) == dict.fromkeys(("risk", "reward", "ratio"))


@pytest.mark.parametrize("votes", [None, "BUY", {"a": 1}, [1, 2], [{"from": "x"}], [{}]])
def test_votes_of_another_form_give_no_bars(votes: object) -> None:
    assert votes_of(votes, "BUY") == []


def test_a_vote_against_the_signal_points_to_the_left() -> None:
    pro, contra, _ = votes_of(MSFT["votes"], "BUY")
    assert 'class="bar good" x="100.0"' in pro.bar
    assert 'class="bar bad" x="40.0" y="3" width="60.0"' in contra.bar


def test_only_who_may_edit_is_led_to_the_outcome_form(client: Client) -> None:
    address = signal_url(log().signal_id)
    assert client.get(address).status_code == 302
    assert "Set the outcome" not in shown(client_of(VIEWER), address)
    assert "Set the outcome" in shown(client_of(TRADER), address)
    assert client_of("nobody").get(address).status_code == 403


def test_an_unknown_id_is_not_found_and_any_id_has_an_address() -> None:
    client = client_of()
    assert client.get("/signals/?id=nope").status_code == 404
    assert client.get("/signals/").status_code == 404
    odd = "a/b?c&d=#é\n"  # an older system's
    Signal._base_manager.filter(pk=log().pk).update(signal_id=odd)
    assert "a/b?c&amp;d=#é" in shown(client, signal_url(odd))


def test_a_user_is_offered_what_the_group_may_do_with_the_signal() -> None:
    trading = Trading.begun(journal())
    signal = trading.trade()
    address = signal_url(signal.signal_id)
    clients = {group: client_of(group) for group in (VIEWER, TRADER)}
    found = {
        group: set(re.findall(r'name="action" value="(\w+)"', shown(client, address)))
        for group, client in clients.items()
    }
    assert found[VIEWER] == {"verify", "export_csv"}
    assert found[TRADER] == {"verify", "export_csv", "set_outcomes", "close"}
    waiting = signal_url(trading.log(confidence=10.0).signal_id)
    assert 'name="action" value="execute"' in shown(clients[TRADER], waiting)
