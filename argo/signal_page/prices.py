"""What the chart of a signal's page draws, as JSON: bars, levels, and marks on the bars."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from argo.reports.explain.prices import LEVELS, is_price
from argo.reports.explain.schemas import BarOut, Story

Drawn = dict[str, Any]
SHAPES = {"BUY": "arrowUp", "SELL": "arrowDown"}


def drawn(story: Story) -> Drawn | None:
    """Return the bars of the story with its levels and marks; None without bars."""
    bars = _unique([*story.prices.seen, *story.prices.after])
    if not bars:
        return None
    return {
        "bars": [
            {"time": _seconds(bar.time)}
            | {name: getattr(bar, name) for name in ("open", "high", "low", "close")}
            for bar in bars
        ],
        "levels": _levels(story),
        "marks": sorted(_marks(story, [bar.time for bar in bars]), key=lambda mark: mark["time"]),
        "title": _title(story, bars),
    }


def _unique(bars: Sequence[BarOut]) -> list[BarOut]:
    """Return one bar for each time, in order: the chart takes no two of the same."""
    return sorted({bar.time: bar for bar in bars}.values(), key=lambda bar: bar.time)


def _levels(story: Story) -> list[Drawn]:
    """Return entry, stop and target, and the average exit if the signal was traded."""
    row: Mapping[str, Any] = story.signal
    prices = {name: row[column] for name, column in LEVELS.items()}
    prices["exit"] = _number(story.outcome.exit_price)
    return [
        {"name": name, "price": price, "text": f"{price:.6g}"}
        for name, price in prices.items()
        if is_price(price)
    ]


def _marks(story: Story, times: Sequence[datetime]) -> Iterator[Drawn]:
    """Yield the signal itself, and each fill, on the bar in which they were."""
    if story.made.made_at is not None:
        at = max(0, bisect_left(times, story.made.made_at, hi=len(times) - 1))
        yield {
            "time": _seconds(times[at]), "text": "signal", "kind": "signal", "shape": "circle",
            "is_above": story.signal["action"] == "BUY",  # the entry's arrow is on the other side
        }  # fmt: skip
    sides = {order["leg"]: order["side"] for order in story.orders}
    for fill in story.fills:
        if not fill["refused"]:
            side = str(sides.get(fill["leg"], ""))
            at = bisect_left(times, fill["time"], hi=len(times) - 1)
            yield {
                "time": _seconds(times[at]),
                "text": f"{fill['leg']} {_number(fill['price']):.6g}",
                "kind": "entry" if fill["leg"] == "entry" else "exit",
                "shape": SHAPES.get(side, "square"),
                "is_above": side != "BUY",
            }


def _title(story: Story, bars: Sequence[BarOut]) -> str:
    levels = ", ".join(f"{level['name']} {level['text']}" for level in _levels(story))
    return (
        f"Prices of {story.signal['symbol']} from {bars[0].time:%Y-%m-%d} to "
        f"{bars[-1].time:%Y-%m-%d}; {levels}"
    )


def _number(value: object) -> float:
    """Return the number that an exact text names; NaN if it names no number."""
    try:
        return float(str(value))
    except ValueError:
        return float("nan")


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def levels_of(signal: Mapping[str, Any]) -> Drawn:
    """Return how far stop and target are from the entry, in percent, and their ratio.

    Each is None if a price is not valid: an imported row may hold anything.
    """
    entry, stop, target = (signal[name] for name in ("entry_price", "stop_price", "target_price"))
    if not all(map(is_price, (entry, stop, target))):
        return {"risk": None, "reward": None, "ratio": None}
    risk, reward = abs(entry - stop) / entry * 100, abs(target - entry) / entry * 100
    return {"risk": risk, "reward": reward, "ratio": reward / risk if risk else None}
