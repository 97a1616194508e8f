"""Exit alerts: they end the sender's open signals in a symbol, and never open anything."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from signals.alerts import exits, rows, seen, waiting
from signals.alerts.exits import Ending
from signals.alerts.log import alerts_journal
from signals.clock import utc_now
from signals.config import flusher, journal
from signals.ledger.outcomes import record_outcome
from signals.models import Alert, OutcomeChange, Signal
from tests.signals.alerts.conftest import Hook, the_alert, the_signal, work

pytestmark = pytest.mark.django_db
BARS = iter(range(10_000))


def alert(action: str = "buy", **changes: object) -> dict[str, object]:
    made: dict[str, object] = {"symbol": "AAPL", "action": action, "price": 100}
    return made | {"id": next(BARS)} | changes


def opened(hook: Hook, **changes: object) -> str:
    answer = hook.send(alert(**changes))  # type: ignore[arg-type]
    assert answer[0] == 202
    work()
    return str(answer[1]["signal_id"])


def outcomes() -> dict[str, tuple[str | None, float | None]]:
    return {each.symbol: (each.outcome, each.exit_price) for each in Signal.objects.all()}


@pytest.fixture(autouse=True)
def nothing_is_traded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exits, "_ending", lambda *_: Ending.FREE)


@pytest.mark.parametrize("word", ["exit", "close", "flat", "Close All", "exit-long"])
def test_an_exit_records_the_outcome_at_its_price_and_names_the_sender(
    hook: Hook, word: str
) -> None:
    signal_id = opened(hook)
    status, answer = hook.send(alert(word, price=103))
    assert (status, answer["status"], answer["signals"]) == (202, "accepted", [])
    work()
    signal = the_signal()
    assert (signal.outcome, signal.exit_price, signal.profit_loss_pct) == ("win", 103.0, 3.0)
    change = OutcomeChange.objects.get()
    assert (change.who, change.why) == ("sender:tv", "exit alert of tv")
    assert the_alert(status="done").result == f"records the outcome of {signal_id}"


def test_an_exit_ends_only_what_is_its_senders_in_its_symbol_and_on_its_side(
    hook: Hook, make_hook: Callable[..., Hook]
) -> None:
    other = make_hook(name="other")
    for symbol in ("AAPL", "MSFT"):
        opened(hook, symbol=symbol)
    opened(hook, action="sell", symbol="GOOG")
    theirs = opened(other)
    hook.send(alert("exit", symbol="NASDAQ:AAPL"))
    hook.send(alert("exit_long", symbol="GOOG"))
    work()
    assert Signal.objects.get(signal_id=theirs).outcome is None
    ended = Signal.objects.exclude(outcome=None)
    assert [each.symbol for each in ended] == ["AAPL"]


def test_with_no_open_signal_the_answer_says_so_and_nothing_is_opened(hook: Hook) -> None:
    status, answer = hook.send(alert("exit"))
    assert (status, answer["signals"]) == (200, [])
    assert "nothing to end" in answer["status"]
    work()
    assert not Signal.objects.exists()
    assert the_alert().result == "no signal of this sender in this symbol is open"


def test_an_exit_right_behind_its_entry_ends_it(hook: Hook) -> None:
    """The entry is only in the journal: no row says that anything is open."""
    hook.send(alert())
    assert hook.send(alert("exit", price=99))[0] == 202
    work()
    assert the_signal().outcome == "loss"


def test_an_exit_ends_nothing_that_came_after_it(hook: Hook) -> None:
    opened(hook)
    hook.send(alert("exit", price=101))
    later = hook.send(alert())[1]["signal_id"]
    work()
    assert Signal.objects.get(signal_id=later).outcome is None
    assert Signal.objects.exclude(signal_id=later).get().outcome == "win"


def test_an_acknowledged_exit_survives_the_death_of_every_worker(hook: Hook) -> None:
    opened(hook)
    hook.send(alert("exit"))
    assert b'"waiting"' in alerts_journal().path.read_bytes()
    rows.drain()  # and here the worker is killed, before it carried anything out
    seen.forget()
    work()
    assert the_signal().outcome == "breakeven"


def test_an_exit_that_is_carried_out_twice_changes_nothing(hook: Hook) -> None:
    opened(hook)
    hook.send(alert("exit", price=103))
    work()
    Alert.objects.filter(status="done").update(status="waiting", due_at=utc_now())
    work()
    assert OutcomeChange.objects.count() == 1
    assert the_alert(status="done")


def test_the_same_exit_again_is_the_same_one(hook: Hook) -> None:
    opened(hook)
    leave = alert("exit", price=103)
    first = hook.send(leave)
    work()
    seen.forget()
    opened(hook)
    again = hook.send(leave)
    assert (first[0], again[0]) == (202, 200)
    assert again[1]["exits"] == first[1]["exits"]
    work()
    assert Signal.objects.filter(outcome=None).count() == 1, "the new signal stays open"


def test_what_has_an_outcome_already_keeps_it(hook: Hook) -> None:
    signal_id = opened(hook)
    record_outcome(
        signal_id, outcome="loss", exit_price=97.0, who="ann", why="x", now=utc_now(),
        journal=journal(),
    )  # fmt: skip
    flusher().flush()
    status, answer = hook.send(alert("exit", price=103))
    assert (status, "nothing to end" in answer["status"]) == (200, True)
    work()
    assert the_signal().exit_price == 97.0
    assert the_alert(signal_id=signal_id).status == "ended"


def test_an_exit_without_a_price_waits_for_a_person_if_nothing_else_gives_one(hook: Hook) -> None:
    opened(hook)
    assert hook.send(alert("exit", price=None))[0] == 202
    work()
    assert the_signal().outcome is None
    kept = the_alert(status="unread")
    assert "exit_price: is needed" in kept.faults[0]["message"]


def test_a_signal_that_is_being_decided_on_is_asked_about_again(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(hook)
    answers = [Ending.BUSY, Ending.CLOSING]
    monkeypatch.setattr(exits, "_ending", lambda *_: answers.pop(0))
    hook.send(alert("exit"))
    work()
    assert the_alert(symbol="AAPL", status="waiting").result.startswith("waits for")
    assert waiting.carry_out_due(utc_now()) == 0, "not at once"
    assert waiting.carry_out_due(utc_now() + timedelta(seconds=3)) == 1
    assert the_alert(status="done").result.startswith("closes the position of")
    assert the_signal().outcome is None, "the position gives it"


def test_one_exit_that_fails_stops_no_other(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(hook)
    opened(hook, symbol="MSFT")

    def ending(signal: int, why: str) -> Ending:
        if Signal.objects.get(pk=signal).symbol == "AAPL":
            raise ZeroDivisionError
        return Ending.FREE

    monkeypatch.setattr(exits, "_ending", ending)
    for symbol in ("AAPL", "MSFT"):
        hook.send(alert("exit", symbol=symbol))
    flusher().flush()
    rows.drain()
    with pytest.raises(ZeroDivisionError):
        waiting.carry_out_due(utc_now())
    assert outcomes() == {"AAPL": (None, None), "MSFT": ("breakeven", 100.0)}
    due = the_alert(symbol="AAPL", status="waiting").due_at
    assert due
    assert due > utc_now()


@pytest.mark.parametrize(
    ("action", "position", "before", "asks"),
    [
        ("buy", "long", "flat", ("BUY", "")),
        ("sell", "short", "flat", ("SELL", "")),
        ("sell", "flat", "long", ("", "exit")),
        ("buy", "flat", "short", ("", "exit")),
        ("sell", "short", "long", ("SELL", "exit")),
        ("buy", "long", "short", ("BUY", "exit")),
        ("buy", "long", "long", ("BUY", "")),
    ],
)
def test_the_position_of_a_strategy_says_what_its_order_means(
    hook: Hook, action: str, position: str, before: str, asks: tuple[str, str]
) -> None:
    body = alert(action, position=position, previous_position=before)
    status, answer = hook.send(body)
    assert status in (200, 202)
    opens, ends = asks
    assert (bool(answer["signals"]), bool(answer["exits"])) == (bool(opens), bool(ends))
    work()
    assert [each.action for each in Signal.objects.all()] == [opens] * bool(opens)


def test_a_part_of_a_position_that_is_closed_opens_nothing(hook: Hook) -> None:
    status, answer = hook.send(alert("sell", position="long", previous_position="long"))
    assert status == 422
    assert "a part of a position is closed" in answer["errors"][0]["message"]


def test_a_strategy_that_turns_ends_the_one_side_and_opens_the_other(hook: Hook) -> None:
    opened(hook)
    turned = alert("sell", position="short", previous_position="long", price=104)
    status, answer = hook.send(turned)
    assert (status, len(answer["signals"]), len(answer["exits"])) == (202, 1, 1)
    work()
    sides = {each.action: each.outcome for each in Signal.objects.all()}
    assert sides == {"BUY": "win", "SELL": None}
    seen.forget()
    assert hook.send(turned)[0] == 200
    assert json.loads(hook.post(turned).content)["exits"] == answer["exits"]
