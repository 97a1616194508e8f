"""A report says which outcomes came from an exit alert."""

import pytest

from argo.reports.report import make_report
from execution.analysis.selection import DecidedSelection
from signals.alerts import exits, rows, seen, waiting
from signals.alerts.content import body_of
from signals.alerts.exits import Ending
from signals.alerts.senders import create_sender
from signals.alerts.taking import take
from signals.alerts.terms import terms_of
from signals.clock import utc_now
from signals.config import flusher

pytestmark = pytest.mark.django_db


def test_outcomes_of_exit_alerts_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exits, "_ending", lambda *_: Ending.FREE)
    seen.forget()
    terms = terms_of(create_sender("tv", "tradingview", who="a test")[0])
    for action, price in (("buy", 100), ("exit", 103)):
        text = f'{{"symbol": "AAPL", "action": "{action}", "price": {price}, "id": "{action}"}}'
        taken = take(terms, body_of(text.encode()), "", utc_now())
        assert taken.status == 202
        flusher().flush()
        rows.drain()
        waiting.carry_out_due(utc_now())
    found = make_report(DecidedSelection(), utc_now())
    assert found["origin"] == "hook"
    (told,) = (each for each in found["assumptions"] if "exit alert" in each)
    assert told.startswith("The outcome of 1 signals came from an exit alert of their sender")
