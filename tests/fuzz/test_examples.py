"""Every example in the API's description is sent, and its answer is as described."""

import json
import os
from collections.abc import Mapping
from typing import Any

import pytest

from argo.openapi.examples import ALERT_ID, ANSWERS, REQUESTS, SIGNAL_ID
from execution import factory
from execution.accounts import halts
from execution.types import HaltCode
from signals.alerts.senders import create_sender
from signals.feed.sequence import Sequencer
from signals.journal import Journal
from signals.keys import SCOPES, create_key
from signals.models import Alert, RecordEntry, RecordRun
from tests.argo.test_scopes import CALLS
from tests.execution.trading_fixtures import Trading
from tests.fuzz.test_api import CHECKS, description

pytestmark = pytest.mark.django_db(transaction=True)
RENEW = "RENEW_EXAMPLES"
LONGEST = 2
"""Items of a list in the description."""
MOST_BYTES = 16_000
"""A longer answer, such as a report, is described by its schema alone."""


@pytest.fixture
def trading(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Trading:
    """Return an account with an open trade of the example's signal."""
    made = Trading.begun(journal)
    monkeypatch.setattr(factory, "trading_context", lambda: made.context)
    monkeypatch.setattr("signals.api.views.journal", lambda: journal)
    votes = [{"source": "trend", "direction": "BUY", "confidence": 88.0}]
    made.trade(
        signal_id=SIGNAL_ID, regime="BULL", reasoning="above its mean", sources=1, agreement=1.0,
        votes=votes, confidence=90.5, strategy="weighted_consensus",
    )  # fmt: skip
    made.log(signal_id="0123456789abcdef", regime="BULL", confidence=81.0)
    enter_into_the_record(journal)
    halts.latch(made.context.account, HaltCode.BY_HAND, "maintenance", made.clock(), by="anna")
    sender, _ = create_sender("tv", "tradingview", who="anna")
    Alert.objects.create(
        alert_id=ALERT_ID, sender=sender, received_at=made.clock(), status="unread", symbol="",
        side="", signal_id="", result="", faults=[{"field": "symbol", "message": "is missing"}],
        body='{"action": "buy"}', content_type="text/plain",
    )  # fmt: skip
    return made


def enter_into_the_record(journal: Journal) -> None:
    """Enter the lines of the journal into a public record that nobody has signed yet."""
    count = Sequencer(journal).assign()
    entries = [
        RecordEntry(id=each, kind="signal", at=1736937000123456, digest=b"d", leaf=b"l")
        for each in range(count)
    ]
    RecordEntry.objects.bulk_create(entries)
    RecordRun.objects.create(id=0, count=count, sequence=1)


def test_every_call_has_an_example() -> None:
    assert {call.replace("{path:", "{") for call in CALLS} == REQUESTS.keys()


@pytest.mark.usefixtures("trading")
def test_every_example_is_answered_as_described() -> None:
    key = create_key("example", SCOPES)
    answers: dict[str, Any] = {}
    for call, request in REQUESTS.items():
        method, path = call.split()
        case = description()[path][method].Case(
            path_parameters=dict(request.path),
            query={name: str(value) for name, value in request.query.items()},
            headers={"X-API-Key": key, **request.headers},
            **({} if request.body is None else {"body": request.body}),
            media_type=None if request.body is None else "application/json",
        )
        answer = case.call()
        assert answer.status_code == request.status, (call, answer.text)
        case.validate_response(answer, checks=CHECKS)
        is_json = answer.headers["content-type"][0].startswith("application/json")
        if is_json and len(answer.content) <= MOST_BYTES:
            answers[call] = _short(answer.json())
    if os.environ.get(RENEW):
        ANSWERS.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
    assert answers.keys() == json.loads(ANSWERS.read_text()).keys(), f"set {RENEW}=1 to write them"


def _short(value: Any) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, Mapping):
        return {name: _short(each) for name, each in value.items()}
    return [_short(each) for each in value[:LONGEST]] if isinstance(value, list) else value
