"""With SIGNAL_DURABILITY=database a caller is answered when a standby has its signals, too."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.clusters import Pair
from tests.samples import a_signal
from tests.signals.durability.conftest import StartNode

pytestmark = pytest.mark.slow
WAIT = "0.7"
CANCEL = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def stored(servers: Pair, *signals: dict[str, object]) -> int:
    """Return how many rows these signals have; their confidence tells them apart."""
    found = ", ".join(str(each["confidence"]) for each in signals)
    rows = f"SELECT count(*) FROM signals WHERE confidence IN ({found})"
    return int(str(servers.primary.ask(rows)))


@contextmanager
def standby_away(servers: Pair) -> Iterator[None]:
    """Let the standby take nothing, as if the network between the servers were cut."""
    frozen = servers.standby.freeze("walreceiver")
    assert frozen
    try:
        yield
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_answer_comes_when_the_row_is_committed(servers: Pair, node: StartNode) -> None:
    one = a_signal()

    assert node().call(one) == ["database"]

    assert stored(servers, one) == 1


@pytest.mark.parametrize("call", ["accept", "async", "each"])
def test_every_way_in_waits_for_the_standby(servers: Pair, node: StartNode, call: str) -> None:
    one = a_signal()
    taker = node(SIGNAL_DURABILITY_WAIT=WAIT)
    with standby_away(servers):
        name, text = taker.call(one, call=call)

    assert name == "NotStoredYet"
    assert "may be stored later; to send it again is safe" in text
    eventually(lambda: taker.call(one, call=call)[0] not in ("NotStoredYet", "NothingConfirmed"))
    assert stored(servers, one) == 1


def test_many_callers_share_a_commit(servers: Pair, node: StartNode) -> None:
    taker = node()
    before = int(str(servers.primary.ask("SELECT txid_current()")))
    numbers = {taker.send(a_signal()) for _ in range(200)}
    answers = [taker.answer() for _ in numbers]

    assert {each.number for each in answers} == numbers
    assert all(each.values == ["database"] for each in answers)
    commits = int(str(servers.primary.ask("SELECT txid_current()"))) - before
    assert commits < 150


def test_it_may_fall_back_to_this_machine(servers: Pair, node: StartNode) -> None:
    one = a_signal()
    taker = node(SIGNAL_DURABILITY_WAIT=WAIT, SIGNAL_DURABILITY_FALLBACK="yes")
    with standby_away(servers):
        assert taker.call(one) == ["local"]
        again = a_signal()
        began = time.monotonic()
        assert taker.call(again) == ["local"]
        assert time.monotonic() - began < float(WAIT)  # known to fail: no caller waits

    eventually(lambda: stored(servers, one, again) == 2)
    assert taker.call(a_signal()) == ["database"]


def test_a_database_that_confirms_nothing_refuses_at_once(servers: Pair, node: StartNode) -> None:
    taker = node(SIGNAL_DURABILITY_WAIT=WAIT)
    with standby_away(servers):
        taker.call(a_signal())
        refused = a_signal()
        size = taker.argo.journal.end()
        name, text = taker.call(refused)
        assert name == "NothingConfirmed"
        assert "Nothing was stored" in text
        assert taker.argo.journal.end() == size

    eventually(lambda: taker.call(refused) == ["database"])


def test_a_cancelled_wait_for_the_standby_is_no_confirmation(
    servers: Pair, node: StartNode
) -> None:
    """The server then reports the commit as made; only a warning says where it is."""
    one = a_signal()
    taker = node(SIGNAL_DURABILITY_WAIT="2")
    with standby_away(servers):
        taker.send(one)
        eventually(lambda: servers.primary.ask(CANCEL) is None and stored(servers, one) == 1)
        assert taker.answer().values[0] == "NotStoredYet"
    eventually(lambda: taker.call(one) == ["database"])


@pytest.mark.parametrize("setting", ["off", "local"])
def test_a_weak_setting_of_the_server_is_raised(
    servers: Pair, node: StartNode, setting: str
) -> None:
    servers.primary.ask(f"ALTER ROLE postgres SET synchronous_commit = '{setting}'")
    try:
        taker = node(SIGNAL_DURABILITY_WAIT=WAIT)
        assert taker.call(a_signal()) == ["database"]
        with standby_away(servers):
            assert taker.call(a_signal())[0] == "NotStoredYet"
    finally:
        servers.primary.ask("ALTER ROLE postgres RESET synchronous_commit")


def test_what_can_be_seen_is_not_confirmed_before_the_standby_has_it(
    servers: Pair, node: StartNode
) -> None:
    """The primary dies with a commit that the standby lacks, and shows it after its restart."""
    one = a_signal()
    taker = node(SIGNAL_DURABILITY_WAIT="60")
    taker.call(a_signal())
    with standby_away(servers):
        number = taker.send(one)
        eventually(lambda: "waiting for" in " ".join(servers.primary.titles()))
        servers.primary.kill()
        servers.primary.start()
        assert stored(servers, one) == 1
        assert not taker.answers_within(3)
    assert taker.answer() == (number, ["database"])
