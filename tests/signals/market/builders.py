"""Small markets for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from signals.market.bars import Bars, as_times

FIRST_CLOSE = datetime(2008, 1, 2, 21, tzinfo=UTC)


def bars_of(closes: Sequence[float], symbol: str = "TEST", first: datetime = FIRST_CLOSE) -> Bars:
    """Return one bar a day with these closes; open is the close, high and low are 1% away."""
    close = np.array(closes, dtype=np.float64)
    return Bars.checked(
        symbol,
        as_times([first + timedelta(days=day) for day in range(len(close))]),
        open=close,
        high=close * 1.01,
        low=close * 0.99,
        close=close,
        volume=np.full(len(close), 1000.0),
    )


def random_walk(length: int, seed: int, drift: float = 0.0) -> list[float]:
    """Return closes with normally distributed returns; the standard deviation is 2% a bar."""
    returns = np.random.default_rng(seed).normal(drift, 0.02, length)
    closes: list[float] = (100 * np.cumprod(1 + returns)).tolist()
    return closes
