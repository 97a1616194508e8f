"""Halt, resume and ask for one trade over the API: the rules of every trade apply."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from argo.errors import InvalidInput
from execution import factory
from execution.accounts import halts
from execution.brokers.protocol import BrokerError
from execution.models import Decision, Halt, Order
from signals.keys import create_key
from signals.ledger.outcomes import record_outcome
from signals.models import Act, Signal
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading, codes_of, orders_of, states_of

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("database")]


@pytest.fixture
def client(trading: Trading, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client of a process that trades only the signals that somebody asks for."""
    monkeypatch.setattr(
        factory, "trading_context", lambda: trading.changed(auto_execute=False).context
    )
    return Client(headers={"X-API-Key": create_key("trader", ["read", "trade"])})


def post(client: Client, path: str, **body: object) -> Any:  # noqa: ANN401
    return client.post(f"/api/execution/{path}", body, content_type="application/json")


def execute(client: Client, signal: Signal) -> HttpResponse:
    answer: HttpResponse = post(client, f"signals/{signal.signal_id}/execute")
    return answer


def test_a_halt_stops_every_trade_until_somebody_resumes(client: Client, trading: Trading) -> None:
    halt = post(client, "halt", why="news").json()
    assert (halt["code"], halt["reason"], halt["latched_by"]) == ("by_hand", "news", "api:trader")
    signal = trading.log()
    trading.decide()
    assert codes_of(signal) == ["halt"]
    assert post(client, "resume", why="it was nothing").json() == {"lifted": 1}
    lifted = Halt.objects.get()
    assert (lifted.lifted_by, lifted.lifted_why) == ("api:trader", "it was nothing")
    trading.log()
    assert trading.decide().executed == 1


def test_a_second_halt_leaves_the_first_ones_reason(client: Client) -> None:
    post(client, "halt", why="first")
    assert post(client, "halt", why="second").json()["reason"] == "first"
    assert Halt.objects.count() == 1


@pytest.mark.parametrize("path", ["halt", "resume"])
@pytest.mark.parametrize(
    "body",
    [{}, {"why": ""}, {"why": "  "}, {"why": "x", "reason": "y"}, {"why": "a\0b"}],
    ids=["none", "empty", "blank", "misspelt", "NUL"],
)
def test_a_reason_is_needed(client: Client, path: str, body: dict[str, object]) -> None:
    halts.latch("paper", "drawdown", "lost", factory.trading_context().clock())
    assert post(client, path, **body).status_code == 422
    assert Halt.objects.filter(lifted_at=None).count() == 1


def test_a_body_that_is_no_json_is_refused_as_all_else_is(client: Client) -> None:
    answer = client.post("/api/execution/halt", "{", content_type="application/json")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == "body"
    assert "is not JSON" in error["message"]


def test_only_the_halt_of_a_code_is_lifted(client: Client, trading: Trading) -> None:
    for code in ("drawdown", "mismatch"):
        halts.latch("paper", code, code, trading.clock())
    halts.latch("replay", "drawdown", "of another account", trading.clock())
    assert post(client, "resume", why="explained", code="mismatch").json() == {"lifted": 1}
    assert post(client, "resume", why="explained", code="mismatch").status_code == 409
    assert [halt.code for halt in halts.active("paper")] == ["drawdown"]
    assert len(halts.active("replay")) == 1


def test_another_accounts_halt_is_lifted_where_it_is_named(
    client: Client, trading: Trading
) -> None:
    """A replay that broke a rule would stop every later replay."""
    for account in ("paper", "replay"):
        halts.latch(account, "prop_firm", "lost", trading.clock())
    assert post(client, "resume", why="tried", account="replay").json() == {"lifted": 1}
    assert halts.active("replay") == []
    assert len(halts.active("paper")) == 1


@pytest.mark.parametrize("why", ["", " \n", "a\0b"])
def test_no_door_takes_a_reason_that_cannot_be_kept(trading: Trading, why: str) -> None:
    with pytest.raises(InvalidInput):
        halts.latch("paper", "by_hand", why, trading.clock(), by="somebody")
    halt = halts.latch("paper", "mismatch", "it holds 5 of A\0B", trading.clock())
    assert halt.reason == "it holds 5 of AB"  # whatever a broker says, trading stops
    with pytest.raises(InvalidInput):
        halts.lift("paper", by="somebody", why=why, now=trading.clock())
    assert halts.active("paper") == [halt]


def test_nothing_to_resume_is_a_conflict(client: Client) -> None:
    assert post(client, "resume", why="x").status_code == 409


def test_a_signal_is_executed_when_asked_for_and_only_once(
    client: Client, trading: Trading
) -> None:
    """Fault 37: the order exists, at the broker too."""
    signal = trading.log()
    answer = execute(client, signal)
    assert answer.status_code == 200
    found = post(client, f"signals/{signal.signal_id}/execute")
    decision = Decision.objects.get()
    assert (decision.status, decision.asked_by) == ("executed", "api:trader")
    assert states_of(signal) == {"entry": "accepted", "stop": "accepted", "target": "accepted"}
    assert len(trading.broker.open_orders()) == 3
    assert found.status_code == 409
    assert Order.objects.count() == 3


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("", ""),
        ("{}", ""),
        ('{"why": null}', ""),
        ('{"why": "the desk agreed"}', "the desk agreed"),
    ],
    ids=["no body", "no reason", "null", "a reason"],
)
def test_who_asked_is_kept_with_the_reason_if_one_is_given(
    client: Client, trading: Trading, body: str, kept: str
) -> None:
    address = f"/api/execution/signals/{trading.log().signal_id}/execute"
    assert client.post(address, body, content_type="application/json").status_code == 200
    assert [(act.who, act.why) for act in Act.objects.filter(kind="execute")] == [
        ("api:trader", kept)
    ]


@pytest.mark.parametrize(
    "body", [{"why": " "}, {"why": "a\0b"}, {"why": 7}, {"reason": "x"}, {"why": "x" * 1001}]
)
def test_a_reason_that_cannot_be_kept_trades_nothing(
    client: Client, trading: Trading, body: dict[str, object]
) -> None:
    signal = trading.log()
    answer = post(client, f"signals/{signal.signal_id}/execute", **body)
    assert answer.status_code == 422
    assert orders_of(signal) == {}


def test_asking_goes_round_no_rule(client: Client, trading: Trading) -> None:
    """Fault 28: the manual endpoint skipped all checks."""
    halts.latch("paper", "drawdown", "too much is lost", trading.clock())
    signal = trading.log(confidence=10.0)
    answer = post(client, f"signals/{signal.signal_id}/execute")
    found = answer.json()
    assert (answer.status_code, found["status"], found["order_id"]) == (200, "skipped", None)
    assert {"halt", "confidence"} <= {reason["code"] for reason in found["reasons"]}
    assert "trading is halted: too much is lost" in str(found["reasons"])
    assert orders_of(signal) == {}


def test_a_signal_that_is_too_old_is_not_executed(client: Client, trading: Trading) -> None:
    signal = trading.log()
    trading.clock.pass_by(hours=1)
    assert post(client, f"signals/{signal.signal_id}/execute").json()["status"] == "skipped"
    assert codes_of(signal) == ["stale"]


def test_one_that_was_skipped_can_be_asked_for_again(client: Client, trading: Trading) -> None:
    signal = trading.log()
    halts.latch("paper", "by_hand", "a pause", trading.clock())
    trading.decide()
    halts.lift("paper", by="me", why="over", now=trading.clock())
    assert post(client, f"signals/{signal.signal_id}/execute").json()["status"] == "executed"


@pytest.mark.parametrize("name", ["nothing", "%00"])
def test_an_unknown_signal_is_not_found(client: Client, name: str) -> None:
    assert post(client, f"signals/{name}/execute").status_code == 404
    assert not Decision.objects.exists()


def test_one_that_a_worker_has_is_a_conflict(client: Client, trading: Trading) -> None:
    signal = trading.log()
    Decision.objects.update(status="deciding")
    assert execute(client, signal).status_code == 409


def test_a_broker_that_disagrees_stops_it(client: Client, trading: Trading) -> None:
    """Fault 41: a process compares our records with the broker's before it trades."""
    held = trading.trade()
    trading.broker.instead["positions"] = lambda: ()
    signal = trading.log(symbol="MSFT")
    trading.market.quotes["MSFT"] = trading.market.quotes["AAPL"]
    found = post(client, f"signals/{signal.signal_id}/execute").json()
    assert "halt" in [reason["code"] for reason in found["reasons"]]
    assert halts.active("paper")[0].code == "mismatch"
    assert orders_of(held)["stop"].state == "accepted"


@pytest.mark.parametrize("state", ["pending", "skipped", "none"])
def test_without_the_broker_nothing_is_asked_for(
    client: Client, trading: Trading, state: str
) -> None:
    """It is not traded later either, after the person heard that it was not."""
    signal = trading.log(confidence=10.0)
    if state == "skipped":
        trading.decide()
    elif state == "none":
        Decision.objects.all().delete()
    before = list(Decision.objects.values())
    trading.broker.before["account"] = BrokerError("connection refused", permanent=False)
    answer = execute(client, signal)
    assert answer.status_code == 503
    assert "connection refused" in answer.content.decode()
    assert list(Decision.objects.values()) == before


def test_a_replays_signal_is_not_taken_to_the_live_account(
    client: Client, trading: Trading
) -> None:
    decided, undecided = trading.log(), trading.log(origin="replay")
    trading.decide()
    Decision.objects.update(account="replay", status="skipped", reasons=[{"code": "halt"}])
    before = list(Decision.objects.values())
    for signal in (decided, undecided):
        answer = execute(client, signal)
        assert answer.status_code == 409
        assert "is from a replay" in answer.content.decode()
    assert list(Decision.objects.values()) == before


def test_a_signal_that_has_its_outcome_is_a_conflict(client: Client, trading: Trading) -> None:
    signal = trading.log()
    record_outcome(signal.signal_id, outcome="loss", exit_price=95.0, who="ann", why="by hand",
                   now=trading.clock(), journal=trading.journal)  # fmt: skip
    answer = execute(client, signal)
    assert answer.status_code == 409
    assert "already has an outcome: loss" in answer.content.decode()
    assert orders_of(signal) == {}


def test_a_broker_that_fails_meanwhile_leaves_it_to_the_worker(
    client: Client, trading: Trading
) -> None:
    signal = trading.log()
    answers = iter([trading.broker.account()])

    def once() -> object:
        try:
            return next(answers)
        except StopIteration:
            raise BrokerError("connection lost", permanent=False) from None

    trading.broker.instead["account"] = once
    answer = post(client, f"signals/{signal.signal_id}/execute")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
