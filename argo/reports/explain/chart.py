"""Prices as a chart of plain characters: one column for each bar, one line for each level."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from argo.reports.explain.schemas import BarOut

HEIGHT, SIDE, LABEL = 17, 36, 10
FAR = 3
"""A level further from the prices than this factor is left out: it would flatten the chart."""


class Exit(NamedTuple):
    """The price at which the trade ended, and after which bar."""

    price: float
    bar: int


def chart(
    seen: Sequence[BarOut],
    after: Sequence[BarOut],
    levels: Mapping[str, float],
    ended: Exit | None = None,
) -> str:
    """Return the last bars before the signal and those after it; empty without bars.

    `|` is the range of a bar, `o` its close, `-` a level, `:` the moment of the signal, and `X` the
    exit, or the one that a signal without a trade would have had. If there are many bars after the
    signal, a column stands for several of them.
    """
    merged = -(-len(after) // SIDE) or 1
    left, right = list(seen[-SIDE:]), _merged(after, merged)
    if not left + right:
        return ""
    prices = [each for bar in left + right for each in (bar.low, bar.high)]
    shown = {
        name: price
        for name, price in levels.items()
        if min(prices) / FAR <= price <= max(prices) * FAR
    }
    rows = _Rows([*prices, *shown.values()])
    grid = [[" "] * (len(left) + 1 + len(right)) for _ in range(HEIGHT)]
    for price in shown.values():
        grid[rows.at(price)] = ["-"] * len(grid[0])
    for row in grid:
        row[len(left)] = ":"
    for place, bar in [*enumerate(left), *enumerate(right, len(left) + 1)]:
        for number in range(rows.at(bar.high), rows.at(bar.low) + 1):
            grid[number][place] = "|"
        grid[rows.at(bar.close)][place] = "o"
    if ended is not None and rows.has(ended.price):
        place = len(left) + 1 + ended.bar // merged
        grid[rows.at(ended.price)][min(place, len(grid[0]) - 1)] = "X"
    names = _names(shown, rows)
    lines = [
        f"{rows.label(number):>{LABEL}} {''.join(row)} {names.get(number, '')}".rstrip()
        for number, row in enumerate(grid)
    ]
    return "\n".join([*lines, *_below(left, right, merged)])


class _Rows:
    """Places prices on the rows of the chart, the highest on the first."""

    def __init__(self, prices: Sequence[float]) -> None:
        self._low, self._high = min(prices), max(prices)
        self._span = (self._high - self._low) or 1.0

    def has(self, price: float) -> bool:
        return self._low <= price <= self._high

    def at(self, price: float) -> int:
        return round((self._high - price) / self._span * (HEIGHT - 1))

    def label(self, row: int) -> str:
        """Return the price of every fourth row."""
        if row % 4:
            return ""
        return f"{self._high - self._span * row / (HEIGHT - 1):.6g}"


def _merged(bars: Sequence[BarOut], size: int) -> list[BarOut]:
    """Return one bar for each `size` bars."""
    parts = [bars[start : start + size] for start in range(0, len(bars), size)]
    return [
        BarOut(
            time=part[-1].time,
            open=part[0].open,
            high=max(bar.high for bar in part),
            low=min(bar.low for bar in part),
            close=part[-1].close,
            volume=sum(bar.volume for bar in part),
        )
        for part in parts
    ]


def _names(levels: Mapping[str, float], rows: _Rows) -> dict[int, str]:
    """Return the names of the levels on each row."""
    found: dict[int, list[str]] = {}
    for name, price in levels.items():
        found.setdefault(rows.at(price), []).append(f"{name} {price:.6g}")
    return {row: ", ".join(names) for row, names in found.items()}


def _below(left: Sequence[BarOut], right: Sequence[BarOut], merged: int) -> list[str]:
    """Return the time of the signal's place and the times at both ends."""
    first, last = (left or right)[0].time, (right or left)[-1].time
    place = " " * (LABEL + 1 + len(left))
    lines = [f"{place}: the signal", f"bars that closed from {_time(first)} to {_time(last)}"]
    if merged > 1:
        lines.append(f"each column after the signal stands for {merged} bars")
    return lines


def _time(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
