"""The indicators in plain numpy, by their authors' definitions, to check the sources with."""

import numpy as np

from signals.market.bars import Column


def ema(values: Column, period: int) -> Column:
    """Return the EMA from value number `period` on; it starts with the mean of the first ones."""
    average = values[:period].mean()
    averages = [average]
    for value in values[period:]:
        average += 2 / (period + 1) * (value - average)
        averages.append(average)
    return np.array(averages)


def wilder(values: Column, period: int) -> Column:
    """Return Wilder's average: the mean of the first values, smoothed with each later value."""
    average = values[:period].mean()
    averages = [average]
    for value in values[period:]:
        average = (average * (period - 1) + value) / period
        averages.append(average)
    return np.array(averages)


def rsi(close: Column, period: int) -> float:
    changes = np.diff(close)
    gains = wilder(np.maximum(changes, 0), period)[-1]
    losses = wilder(np.maximum(-changes, 0), period)[-1]
    return float(100 * gains / (gains + losses))


def macd(close: Column, fast: int, slow: int, signal: int) -> tuple[float, float]:
    """Return the line and its signal line; the fast average starts where the slow one does."""
    line = ema(close[slow - fast :], fast) - ema(close, slow)
    return float(line[-1]), float(ema(line, signal)[-1])


def true_ranges(high: Column, low: Column, close: Column) -> Column:
    before = close[:-1]
    return np.maximum(high[1:], before) - np.minimum(low[1:], before)


def atr(high: Column, low: Column, close: Column, period: int) -> float:
    return float(wilder(true_ranges(high, low, close), period)[-1])


def adx(high: Column, low: Column, close: Column, period: int) -> float:
    """Return Wilder's ADX: the average of DX, from the smoothed directional movements."""
    up, down = np.diff(high), -np.diff(low)
    plus = np.where((up > down) & (up > 0), up, 0.0)
    minus = np.where((down > up) & (down > 0), down, 0.0)
    sums = [_wilder_sums(each, period) for each in (plus, minus, true_ranges(high, low, close))]
    di_plus, di_minus = 100 * sums[0] / sums[2], 100 * sums[1] / sums[2]
    dx = 100 * np.abs(di_plus - di_minus) / (di_plus + di_minus)
    return float(wilder(dx, period)[-1])


def _wilder_sums(values: Column, period: int) -> Column:
    total = values[: period - 1].sum()
    totals = []
    for value in values[period - 1 :]:
        total += value - total / period
        totals.append(total)
    return np.array(totals)


def bands(close: Column, width: float) -> tuple[float, float]:
    """Return the lower and the upper band over all values."""
    return float(close.mean() - width * close.std()), float(close.mean() + width * close.std())


def obv(close: Column, volume: Column) -> Column:
    signed = np.concatenate([volume[:1], np.sign(np.diff(close)) * volume[1:]])
    return np.cumsum(signed)


def mfi(high: Column, low: Column, close: Column, volume: Column, period: int) -> float:
    typical = (high + low + close) / 3
    flows = (typical * volume)[1:][-period:]
    changes = np.diff(typical)[-period:]
    rising, falling = flows[changes > 0].sum(), flows[changes < 0].sum()
    return float(100 * rising / (rising + falling))
