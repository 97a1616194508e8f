"""An alert that only its text tells apart is one alert, whatever processes take it, and when."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from django.db import connection

from signals.alerts import claims, exits, rows, seen, waiting
from signals.alerts.claims import Claimed, claim
from signals.alerts.content import body_of
from signals.alerts.exits import Ending
from signals.alerts.taking import Taking
from signals.alerts.terms import terms_of
from signals.clock import utc_now
from signals.config import flusher
from signals.ledger.in_time import NoAnswer
from signals.models import Alert, AlertClaim, DeadLetter, Signal
from signals.timestamps import parse_utc
from tests.argo.up.processes import wait_until
from tests.databases import DATABASES as THERE
from tests.databases import both_databases
from tests.execution.threads import in_threads, on_database
from tests.signals.alerts.conftest import Hook

WINDOW = timedelta(seconds=60)
BODY = b'{"symbol": "AAPL", "action": "buy", "price": 150.5}'
EXIT = b'{"symbol": "AAPL", "action": "exit", "price": 160}'
DATABASES = [
    "default", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))
]  # fmt: skip


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    with on_database(request.param):
        yield request.param


@pytest.fixture
def begin(database: str, make_hook: Callable[..., Hook]) -> Callable[[datetime], Taking]:
    """Return how a process of its own begins to take the same body, at a time."""
    terms = terms_of(make_hook().sender)

    def taking(at: datetime, raw: bytes = BODY) -> Taking:
        seen.forget()
        made = Taking(terms, body_of(raw), "text/plain", at)
        made.read()
        return made

    return taking


@pytest.fixture
def boundary() -> datetime:
    """Return a moment at which one time slot of the window ends and the next one begins."""
    seconds = int(utc_now().timestamp() // 60) * 60
    return datetime.fromtimestamp(seconds, UTC)


def write(taking: Taking) -> None:
    seen.forget()
    taking.write()


@pytest.fixture
def is_away(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    def fail(*_: object) -> None:
        raise NoAnswer("no answer")

    monkeypatch.setattr(claims._asking, "within", fail)
    return monkeypatch


def work() -> None:
    flusher().flush()
    rows.drain()
    waiting.carry_out_due(utc_now() + timedelta(hours=1))
    flusher().flush()


@pytest.mark.django_db(databases=THERE)
def test_two_processes_on_both_sides_of_a_boundary_make_one_signal(
    begin: Callable[[datetime], Taking], boundary: datetime
) -> None:
    one, two = (begin(boundary + timedelta(seconds=each)) for each in (-0.1, 0.1))
    write(two)
    write(one)
    work()
    signal = Signal.objects.get()
    assert [*one.taken.signals, *two.taken.signals] == [signal.signal_id] * 2
    assert not DeadLetter.objects.exists()


@pytest.mark.django_db(databases=THERE)
@pytest.mark.parametrize("seed", range(6))
def test_signals_of_one_text_are_never_closer_than_the_window_and_none_is_lost(
    begin: Callable[[datetime], Taking], boundary: datetime, seed: int
) -> None:
    chance = random.Random(seed)
    moments = sorted(boundary + timedelta(seconds=chance.uniform(-200, 0)) for _ in range(12))
    if seed % 2:  # clocks of machines are not quite the same
        moments = [each + timedelta(seconds=chance.uniform(-5, 5)) for each in moments]
    begun, written = list[Taking](), 0
    while written < len(moments):
        if len(begun) < len(moments) and chance.random() < 0.6:
            begun.append(begin(moments[len(begun)]))
        elif written < len(begun):
            write(begun[written])
            written += 1
        if chance.random() < 0.3:
            work()
    work()
    found = {each.signal_id: parse_utc(each.timestamp) for each in Signal.objects.all()}
    assert all(later - earlier > WINDOW for earlier, later in pairwise(sorted(found.values())))
    for taking in begun:
        (signal_id,) = taking.taken.signals
        assert abs(found[signal_id] - taking.now) <= WINDOW


@pytest.mark.django_db
def test_an_alert_of_many_symbols_waits_once_for_a_database_that_is_away(
    make_hook: Callable[..., Hook], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, waits = make_hook(mapping={"split": ["symbol"]}), list[float]()
    looked_up = list[int]()

    def look_up(_: str, ids: list[str]) -> dict[str, str]:
        looked_up.append(len(ids))
        return {}

    def fail(seconds: float, *_: object) -> None:
        waits.append(seconds)
        raise NoAnswer("no answer")

    symbols = [f"S{number}" for number in range(50)]
    body = {"symbol": ",".join(symbols), "action": "buy", "price": 150.5}
    with monkeypatch.context() as away:
        away.setattr(claims._asking, "within", fail)
        away.setattr(seen, "hashes_in_time", look_up)
        assert hook.send(body)[0] == 202
    assert (waits, looked_up) == ([claims.WAIT], [100])
    work()
    assert sorted(Signal.objects.values_list("symbol", flat=True)) == sorted(symbols)


@pytest.mark.django_db(transaction=True)
def test_a_locked_database_delays_no_answer_and_the_claim_that_comes_late_is_the_same(
    make_hook: Callable[..., Hook], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "WAIT", 0.2)
    hook = make_hook()
    hook.send("nothing")  # the sender is known from here on
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        status, answer = hook.send(BODY)
        assert (status, time.monotonic() - began < 5) == (202, True)
        other.execute("ROLLBACK")
    wait_until(AlertClaim.objects.exists)
    work()
    assert Signal.objects.get().signal_id == answer["signal_id"]


@both_databases
@pytest.mark.parametrize("name", DATABASES)
def test_one_of_many_claims_at_once_gives_the_id(name: str, boundary: datetime) -> None:
    for number in range(4):
        times = [boundary + timedelta(milliseconds=each) for each in range(-4, 4)]
        acts = [partial(claim, f"key {number}", f"id {at}", at, WINDOW) for at in times]
        answers = in_threads(name, acts)
        assert len(set(answers)) == 1, answers
        assert isinstance(answers[0], Claimed)


@pytest.mark.django_db
def test_a_claim_ends_with_its_window_and_one_of_a_wrong_clock_at_once(boundary: datetime) -> None:
    first = claim("key", "one", boundary, WINDOW)
    assert claim("key", "two", boundary + WINDOW, WINDOW) == first
    assert claim("key", "old", boundary - 2 * WINDOW, WINDOW).alert_id == "old"
    second = claim("key", "two", boundary + WINDOW * 1.01, WINDOW)
    assert second.alert_id == "two"
    AlertClaim.objects.update(at=utc_now() + timedelta(hours=5))
    assert claim("key", "three", boundary, WINDOW).alert_id == "three"


@pytest.mark.django_db
def test_old_claims_are_deleted(boundary: datetime) -> None:
    claim("old", "one", boundary - 2 * claims.KEPT, WINDOW)
    claim("new", "two", boundary, WINDOW)
    assert claims.forget_old(utc_now()) == 1
    assert claims.forget_old(utc_now()) == 0
    assert str(AlertClaim.objects.get()).startswith("new is two")


@pytest.mark.django_db(databases=THERE)
def test_alerts_that_came_while_the_database_was_away_are_one_signal_too(
    begin: Callable[[datetime], Taking], boundary: datetime, is_away: pytest.MonkeyPatch
) -> None:
    takings = [begin(boundary + timedelta(seconds=each)) for each in (-0.1, 0.1)]
    for taking in takings:
        write(taking)
        assert taking.answer().status == 202
    assert not Signal.objects.exists()
    is_away.undo()
    work()
    signal = Signal.objects.get()
    assert signal.signal_id == takings[0].taken.signals[0]
    assert signal.target_price == 159.53
    found = {each.alert_id: each for each in Alert.objects.all()}
    assert found[signal.signal_id].status == "signal"
    repeat = found[takings[1].taken.signals[0]]
    assert (repeat.status, repeat.signal_id) == ("done", "")
    assert repeat.result == f"the same alert as {signal.signal_id}, which came before"


@pytest.mark.django_db(databases=THERE)
@pytest.mark.parametrize("away", [False, True])
def test_an_exit_that_is_taken_twice_ends_nothing_that_was_opened_between(
    begin: Callable[..., Taking],
    boundary: datetime,
    is_away: pytest.MonkeyPatch,
    *,
    away: bool,
) -> None:
    is_away.setattr(exits, "_ending", lambda *_: Ending.FREE)
    if not away:
        is_away.setattr(claims._asking, "within", lambda _seconds, _using, ask: ask())
    moments = [boundary + timedelta(seconds=each) for each in (-0.2, -0.1, 0.1)]
    first = begin(moments[0], EXIT)
    between = begin(moments[1])
    again = begin(moments[2], EXIT)
    for taking in (first, between, again):
        write(taking)
    is_away.setattr(claims._asking, "within", lambda _seconds, _using, ask: ask())
    for _ in range(2):
        work()
    assert Signal.objects.get().outcome is None
