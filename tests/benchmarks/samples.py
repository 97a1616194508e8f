"""Signals like those of the consensus, about 350 bytes of JSON each, and their journal lines."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from multiprocessing import get_context
from typing import Any

from signals.clock import utc_now
from signals.journal import Journal
from signals.ledger.records import encode

ORIGIN = "benchmark"
START = datetime(2010, 1, 1, tzinfo=UTC)
SYMBOLS = (
    "AAPL", "MSFT", "GOOG", "AMZN", "META", "NVDA", "TSLA", "IBM", "INTC", "AMD",
    "JPM", "BAC", "XOM", "CVX", "KO", "PEP", "WMT", "DIS", "SPY", "QQQ",
    "BTC-USD", "ETH-USD", "SOL-USD", "ADA-USD",
)  # fmt: skip
LINES_PER_BATCH = 10_000


def signals(count: int, first: int) -> list[dict[str, Any]]:
    """Return `count` signals from number `first` on; each number makes a different signal."""
    chance = random.Random(first)
    return [_signal(number, chance) for number in range(first, first + count)]


def _signal(number: int, chance: random.Random) -> dict[str, Any]:
    symbol = SYMBOLS[number % len(SYMBOLS)]
    side = chance.choice((1, -1))
    entry = round(chance.uniform(5, 500), 4)
    return {
        "symbol": symbol,
        "action": "BUY" if side > 0 else "SELL",
        "entry_price": entry,
        "target_price": round(entry * (1 + side * 0.05), 4),
        "stop_price": round(entry * (1 - side * 0.03), 4),
        "confidence": round(chance.uniform(65, 98), 2),
        "strategy": "weighted_consensus",
        "timestamp": f"{START + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}",
        "asset_type": "crypto" if "-" in symbol else "stock",
        "data_source": "weighted_consensus",
        "regime": "BULL" if side > 0 else "BEAR",
        "reasoning": f"10-day mean {entry * 1.01:.2f} against 30-day mean {entry * 0.99:.2f}",
        "sources": chance.randint(3, 5),
        "agreement": round(chance.uniform(0.6, 1.0), 2),
    }


def lines(count: int, first: int) -> Iterator[Sequence[bytes]]:
    """Yield the journal lines of those signals in batches, made on all cores."""
    ends = [*range(first, first + count, LINES_PER_BATCH), first + count]
    parts = [(end - begin, begin) for begin, end in pairwise(ends)]
    with get_context("spawn").Pool() as pool:
        yield from pool.imap(_encoded_part, parts)


def fill(journal: Journal, count: int, first: int) -> None:
    """Append the lines of those signals to the journal."""
    for batch in lines(count, first):
        journal.append(batch)


def encoded(chosen: Sequence[dict[str, Any]]) -> list[bytes]:
    """Return the journal lines of these signals."""
    now = utc_now()
    return [encode(signal, now, ORIGIN)[1] for signal in chosen]


def _encoded_part(part: tuple[int, int]) -> list[bytes]:
    return encoded(signals(*part))
