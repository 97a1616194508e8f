"""Every call of the API answers as it is described, whatever is sent, and with whatever key."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import BaseSchema, Case, CheckFunction, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_wsgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from argo.wsgi import application
from execution import factory
from execution.accounts import halts
from execution.types import HaltCode
from signals.alerts.senders import create_sender
from signals.clock import utc_now
from signals.journal import Journal
from signals.keys import SCOPES, create_key, revoke
from signals.models import Signal
from tests.argo.test_scopes import CALLS, EVERYBODY
from tests.execution.trading_fixtures import Trading
from tests.fuzz.rounds import examples

pytestmark = pytest.mark.django_db(transaction=True)
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 30
"""For each call."""
ODD_HEADERS: list[dict[str, str]] = [
    {"Accept": "application/openmetrics-text; q=abc"},
    {"Accept-Language": "\xff", "Accept-Encoding": ",;q="},
    {"Content-Type": "text/plain; charset=hex"},
    {"Cookie": "sessionid=;;=\xff; csrftoken="},
    {"If-Match": '"a", ' * 500},
    {"Prefer": "wait=" + "0" * 5000},
    {"X-Request-ID": "a b", "X-Forwarded-For": ",,unknown", "X-HTTP-Method-Override": "POST"},
    {"Authorization": "Bearer"},
]
STREAMS = ("GET /api/feed/stream",)
"""Calls that answer 501 under a web server that cannot stream, as the one here."""
REVOKED, NO_KEY, EVERY_SCOPE = "revoked", "none", "all"
CALLERS = (*SCOPES, REVOKED, NO_KEY)


@cache
def description() -> BaseSchema:
    """Return the API's description, which a test with a database must ask for."""
    return from_wsgi("/api/openapi.json", application)


@pytest.fixture
def keys() -> Mapping[str, dict[str, str]]:
    """Return the headers of each caller."""
    made = {scope: create_key(scope, [scope]) for scope in SCOPES}
    made[EVERY_SCOPE] = create_key(EVERY_SCOPE, SCOPES)
    made[REVOKED] = create_key(REVOKED, SCOPES)
    revoke(made[REVOKED], utc_now())
    return {name: {"X-API-Key": key} for name, key in made.items()} | {NO_KEY: {}}


@pytest.fixture
def trading(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Trading:
    """Return an account with a trade of each kind, so that each list has rows to answer with."""
    made = Trading.begun(journal)
    monkeypatch.setattr(factory, "trading_context", lambda: made.context)
    made.trade()
    made.move(110.0)
    made.trade(note={"a": [1, None]}, votes=[{"source": "a"}], symbol="aapl", strategy="other")
    made.log(confidence=10.0)
    made.decide()
    halts.latch(made.context.account, HaltCode.BY_HAND, "to try it", made.clock(), by="a test")
    made.log(symbol="BTC-USD")
    create_sender("tv", "tradingview", who="a test")
    return made


@dataclass(frozen=True)
class Fuzzed:
    """A request that a generator made, who sends it, with which other headers, and the signal that
    it may be about."""

    case: Case[Any]
    caller: str
    headers: dict[str, str]
    signal_id: str | None

    def send(self, keys: Mapping[str, dict[str, str]], checks: list[CheckFunction]) -> int:
        """Send it, and check the answer; return its status."""
        if self.signal_id is not None and "signal_id" in self.case.path_parameters:
            self.case.path_parameters["signal_id"] = self.signal_id
        answer = self.case.call(headers=self.headers | keys[self.caller])
        self.case.validate_response(answer, checks=checks)
        return answer.status_code


@pytest.mark.parametrize("call", CALLS)
def test_it_answers_as_it_is_described(
    call: str, keys: dict[str, dict[str, str]], trading: Trading
) -> None:
    method, path = call.split()
    operation = description()[path.replace("{path:", "{")][method]
    is_open = CALLS[call] == EVERYBODY  # and answers 503 if Argo is not well
    checks = CHECKS if is_open or call in STREAMS else [*CHECKS, not_a_server_error]
    stored = list(Signal.objects.values_list("signal_id", flat=True))
    requests = st.builds(
        Fuzzed,
        st.one_of(*(operation.as_strategy(mode) for mode in GenerationMode)),
        st.just(EVERY_SCOPE) | st.sampled_from(CALLERS),
        st.just({}) | st.sampled_from(ODD_HEADERS),
        st.none() | st.sampled_from(stored),
    )

    @examples(EXAMPLES)
    @given(request=requests)
    def answers_as_described(request: Fuzzed) -> None:
        status = request.send(keys, checks)
        if not is_open:
            is_allowed = request.caller in (CALLS[call], EVERY_SCOPE)
            assert is_allowed == (status not in (401, 403)), (request.caller, status)

    answers_as_described()
