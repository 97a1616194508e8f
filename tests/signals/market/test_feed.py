"""Many symbols at once: one that fails or hangs delays neither the others nor the process."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from signals.market.feed import Fetch
from signals.market.protocol import FeedError

LONG = 60.0
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Return an event that a test may wait for; it is set when the test ends."""
    event = threading.Event()
    yield event
    event.set()


def test_every_symbol_is_answered_in_the_order_given() -> None:
    symbols = ["MSFT", "AAPL", "IBM", "GOOG", "FB"]
    answers = Fetch(str.lower, threads=2, seconds=LONG).all(symbols)
    assert list(answers.items()) == [(symbol, symbol.lower()) for symbol in symbols]


@pytest.mark.parametrize("threads", [1, 4, 64])
def test_there_may_be_more_or_fewer_threads_than_symbols(threads: int) -> None:
    symbols = [f"S{number}" for number in range(20)]
    assert Fetch(len, threads, LONG).all(symbols) == {symbol: len(symbol) for symbol in symbols}


def test_without_symbols_there_are_no_answers() -> None:
    assert Fetch(len, threads=4, seconds=LONG).all([]) == {}


def test_a_fetch_can_be_used_again() -> None:
    fetch = Fetch(len, threads=2, seconds=LONG)
    assert [fetch.all(["A", "BB"]), fetch.all(["CCC"])] == [{"A": 1, "BB": 2}, {"CCC": 3}]


class Crowd:
    """Counts the calls that run at once; none returns before `size` of them have met."""

    def __init__(self, size: int) -> None:
        self.together = threading.Barrier(size)
        self.lock = threading.Lock()
        self.inside = self.most = 0

    def __call__(self, symbol: str) -> str:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.together.wait(LONG)
        with self.lock:
            self.inside -= 1
        return symbol


def test_as_many_symbols_are_fetched_at_once_as_there_are_threads() -> None:
    crowd = Crowd(3)
    symbols = [f"S{number}" for number in range(9)]
    answers = Fetch(crowd, threads=3, seconds=LONG).all(symbols)
    assert answers == {symbol: symbol for symbol in symbols}
    assert crowd.most == 3


@pytest.mark.parametrize("threads", [1, 3])
def test_a_symbol_that_fails_gets_its_error_and_affects_no_other(threads: int) -> None:
    errors = {"B": FeedError("no B"), "C": ZeroDivisionError()}

    def ask(symbol: str) -> str:
        if symbol in errors:
            raise errors[symbol]
        return symbol

    answers = Fetch(ask, threads, LONG).all(["A", "B", "C", "D"])
    assert answers == {"A": "A", "B": errors["B"], "C": errors["C"], "D": "D"}


def test_a_symbol_that_hangs_is_late_and_the_others_are_answered(released: threading.Event) -> None:
    def ask(symbol: str) -> str:
        if symbol == "B":
            released.wait()
        return symbol

    answers = Fetch(ask, threads=2, seconds=2.0).all(["A", "B", "C", "D"])
    late = answers.pop("B")
    assert answers == {"A": "A", "C": "C", "D": "D"}
    assert isinstance(late, FeedError)
    assert "within 2 s" in str(late)
    assert "MARKET_TIMEOUT" in str(late)


class Slow:
    """Answers once the event is set; keeps the symbols and threads of its calls."""

    def __init__(self, let: threading.Event) -> None:
        self.let = let
        self.asked: list[str] = []
        self.threads: list[threading.Thread] = []

    def __call__(self, symbol: str) -> str:
        self.asked.append(symbol)
        self.threads.append(threading.current_thread())
        self.let.wait()
        return symbol


def test_an_answer_after_the_deadline_is_dropped(
    released: threading.Event,
) -> None:
    slow = Slow(released)
    answers = Fetch(slow, threads=1, seconds=1.0).all(["A", "B"])
    released.set()
    for thread in slow.threads:
        thread.join(LONG)
        assert not thread.is_alive()
    assert [type(answer) for answer in answers.values()] == [FeedError, FeedError]


def test_a_late_answer_does_not_appear_in_the_next_fetch(released: threading.Event) -> None:
    slow = Slow(released)
    fetch = Fetch(slow, threads=1, seconds=1.0)
    fetch.all(["A"])
    released.set()
    slow.threads[0].join(LONG)
    assert "A" not in fetch.all(["B"])


HANGS = """
import threading
from signals.market.feed import Fetch
hang = lambda symbol: threading.Event().wait()
print(*Fetch(hang, threads=2, seconds=0.1).all(["A", "B", "C"]).values(), sep="\\n")
"""


def test_a_thread_that_hangs_does_not_keep_the_process_from_ending() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("MARKET_TIMEOUT") == 3


def test_more_hanging_symbols_than_threads_do_not_block_the_others(
    released: threading.Event,
) -> None:
    def ask(symbol: str) -> str:
        if symbol.startswith("H"):
            released.wait()
        return symbol

    symbols = ["H1", "H2", "H3", "A", "B"]
    answers = Fetch(ask, threads=2, seconds=2.0).all(symbols)
    assert [answers["A"], answers["B"]] == ["A", "B"]
    assert all(isinstance(answers[name], FeedError) for name in symbols[:3])


def test_a_symbol_that_still_hangs_is_not_asked_for_again_until_it_answers(
    released: threading.Event,
) -> None:
    asked: list[str] = []
    came = threading.Event()

    def ask(symbol: str) -> str:
        asked.append(symbol)
        if symbol == "H" and not came.is_set():
            came.set()
            released.wait()
        return symbol

    fetch = Fetch(ask, threads=2, seconds=0.4)
    fetch.all(["H", "A"])
    before = threading.active_count()
    for _ in range(3):
        answers = fetch.all(["H", "A"])
        assert answers["A"] == "A"
        assert "has not been answered yet" in str(answers["H"])
    assert threading.active_count() <= before
    assert asked.count("H") == 1
    released.set()
    while "H" in fetch._under_way:
        pass
    assert fetch.all(["H"]) == {"H": "H"}
