"""The log follows a trade from its decision to its close."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.contextvars import get_contextvars

from execution.risk.model import Limits
from execution.types import REPLAY
from tests.databases import DATABASES
from tests.execution.trading_fixtures import SYMBOL, Trading, codes_of

pytestmark = pytest.mark.django_db(databases=DATABASES)


class Kept(logging.Handler):
    """Keeps level, text and signal of each record."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        signal = getattr(record, "signal_id", get_contextvars().get("signal_id", ""))
        self.found.append((record.levelno, record.getMessage(), signal))


@pytest.fixture
def kept(caplog: pytest.LogCaptureFixture) -> Iterator[Kept]:
    """Return the records of execution, at every level, with the signal that each is about."""
    caplog.set_level(logging.DEBUG, "execution")
    handler, logger = Kept(), logging.getLogger("execution")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def test_a_trade_is_decided_sent_filled_and_closed_at_info_with_its_signal(
    trading: Trading, kept: Kept, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        signal = trading.trade()
        trading.move(111)

    lines = [text for level, text, name in kept.found if level == logging.INFO]
    for text in ("Executed: entry BUY 100", "Sent: entry BUY 100", "Filled 100", "Closed BUY 100"):
        assert [line for line in lines if line.startswith(text)], (text, lines)
    assert {name for _, _, name in kept.found} == {signal.signal_id}
    assert max(level for level, _, _ in kept.found) == logging.INFO


def test_a_skipped_signal_is_logged_with_every_reason(trading: Trading, kept: Kept) -> None:
    signal = trading.log(confidence=80.0)
    trading.changed(limits=Limits(restricted=frozenset({SYMBOL}), min_confidence=90)).decide()
    (line,) = [each for each in kept.found if each[1].startswith("Skipped")]
    assert (line[0], line[2]) == (logging.INFO, signal.signal_id)
    assert len(codes_of(signal)) == 2
    for reason in codes_of(signal):
        assert f"{reason}: " in line[1]


def test_a_replays_trades_are_debug(trading: Trading, kept: Kept) -> None:
    assert trading.context.log_level == logging.INFO
    assert trading.changed(account=REPLAY).context.log_level == logging.DEBUG
