"""With SIGNAL_DURABILITY=database a caller is answered when a standby has its signals, too."""

import time

import pytest

from tests.clusters import Pair
from tests.durable_nodes import StartNode, eventually, standby_away
from tests.samples import a_signal

pytestmark = pytest.mark.slow
WAIT = "0.7"
CANCEL = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def stored(server_pair: Pair, *signals: dict[str, object]) -> int:
    """Return how many rows these signals have; their confidence tells them apart."""
    found = ", ".join(str(each["confidence"]) for each in signals)
    rows = f"SELECT count(*) FROM signals WHERE confidence IN ({found})"
    return int(str(server_pair.primary.ask(rows)))


def test_the_answer_comes_when_the_row_is_committed(
    server_pair: Pair, start_node: StartNode
) -> None:
    one = a_signal()

    assert start_node().call(one) == ["database"]

    assert stored(server_pair, one) == 1


@pytest.mark.parametrize("call", ["accept", "async", "each"])
def test_every_way_in_waits_for_the_standby(
    server_pair: Pair, start_node: StartNode, call: str
) -> None:
    one = a_signal()
    taker = start_node(SIGNAL_DURABILITY_WAIT=WAIT)
    with standby_away(server_pair):
        name, text = taker.call(one, call=call)

    assert name == "NotStoredYet"
    assert "may be stored later; to send it again is safe" in text
    eventually(lambda: taker.call(one, call=call)[0] not in ("NotStoredYet", "NothingConfirmed"))
    assert stored(server_pair, one) == 1


def test_many_callers_share_a_commit(server_pair: Pair, start_node: StartNode) -> None:
    taker = start_node()
    before = int(str(server_pair.primary.ask("SELECT txid_current()")))
    numbers = {taker.send(a_signal()) for _ in range(200)}
    answers = [taker.answer() for _ in numbers]

    assert {each.number for each in answers} == numbers
    assert all(each.values == ["database"] for each in answers)
    commits = int(str(server_pair.primary.ask("SELECT txid_current()"))) - before
    assert commits < 150


def test_it_may_fall_back_to_this_machine(server_pair: Pair, start_node: StartNode) -> None:
    one = a_signal()
    taker = start_node(SIGNAL_DURABILITY_WAIT=WAIT, SIGNAL_DURABILITY_FALLBACK="yes")
    with standby_away(server_pair):
        assert taker.call(one) == ["local"]
        again = a_signal()
        began = time.monotonic()
        assert taker.call(again) == ["local"]
        assert time.monotonic() - began < float(WAIT)  # known to fail: no caller waits

    eventually(lambda: stored(server_pair, one, again) == 2)
    assert taker.call(a_signal()) == ["database"]


def test_a_database_that_confirms_nothing_refuses_at_once(
    server_pair: Pair, start_node: StartNode
) -> None:
    taker = start_node(SIGNAL_DURABILITY_WAIT=WAIT)
    with standby_away(server_pair):
        taker.call(a_signal())
        refused = a_signal()
        size = taker.argo.journal.end()
        name, text = taker.call(refused)
        assert name == "NothingConfirmed"
        assert "Nothing was stored" in text
        assert taker.argo.journal.end() == size

    eventually(lambda: taker.call(refused) == ["database"])


def test_a_cancelled_wait_for_the_standby_is_no_confirmation(
    server_pair: Pair, start_node: StartNode
) -> None:
    """The server then reports the commit as made; only a warning says where it is."""
    one = a_signal()
    taker = start_node(SIGNAL_DURABILITY_WAIT="2")
    with standby_away(server_pair):
        taker.send(one)
        eventually(
            lambda: server_pair.primary.ask(CANCEL) is None and stored(server_pair, one) == 1
        )
        assert taker.answer().values[0] == "NotStoredYet"
    eventually(lambda: taker.call(one) == ["database"])


@pytest.mark.parametrize("setting", ["off", "local"])
def test_a_weak_setting_of_the_server_is_raised(
    server_pair: Pair, start_node: StartNode, setting: str
) -> None:
    server_pair.primary.ask(f"ALTER ROLE postgres SET synchronous_commit = '{setting}'")
    try:
        taker = start_node(SIGNAL_DURABILITY_WAIT=WAIT)
        assert taker.call(a_signal()) == ["database"]
        with standby_away(server_pair):
            assert taker.call(a_signal())[0] == "NotStoredYet"
    finally:
        server_pair.primary.ask("ALTER ROLE postgres RESET synchronous_commit")


def test_what_can_be_seen_is_not_confirmed_before_the_standby_has_it(
    server_pair: Pair, start_node: StartNode
) -> None:
    """The primary dies with a commit that the standby lacks, and shows it after its restart."""
    one = a_signal()
    taker = start_node(SIGNAL_DURABILITY_WAIT="60")
    taker.call(a_signal())
    with standby_away(server_pair):
        number = taker.send(one)
        eventually(lambda: "waiting for" in " ".join(server_pair.primary.titles()))
        server_pair.primary.kill()
        server_pair.primary.start()
        assert stored(server_pair, one) == 1
        assert not taker.answers_within(3)
    assert taker.answer() == (number, ["database"])
