"""The figures of a benchmark, each with its reference and its target."""

from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """One row of the table; `ratio` is empty if there is no reference to compare with."""

    what: str
    argo: str
    reference: str = ""
    ratio: str = ""
    target: str = ""
    met: bool = True


def rate(per_second: float) -> str:
    """Format a rate for people."""
    return f"{number(per_second)}/s"


def number(value: float) -> str:
    """Format a number with its significant digits."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def distribution(delays: Sequence[float]) -> str:
    """Format the median, the 99th percentile and the longest of sorted delays in seconds."""
    return ", ".join(
        f"{name} {delays[int(share * (len(delays) - 1))] * 1000:.0f} ms"
        for name, share in (("median", 0.5), ("99%", 0.99), ("longest", 1.0))
    )


def times_as_fast(what: str, argo: float, reference: float, *, target: float, name: str) -> Figure:
    """Return two rates; Argo's should be at least `target` times the rate of `name`."""
    ratio = argo / reference
    return Figure(
        what,
        rate(argo),
        f"{rate(reference)}, {name}",
        f"{ratio:.2f}",
        f"at least {target:g}",
        ratio >= target,
    )


def at_least(what: str, found: float, target: float, unit: str) -> Figure:
    """Return a figure that should not be less than `target`."""
    return Figure(
        what,
        f"{number(found)}{unit}",
        target=f"at least {number(target)}{unit}",
        met=found >= target,
    )


def at_most(what: str, found: float, target: float, unit: str, *, reference: str = "") -> Figure:
    """Return a figure that should not exceed `target`."""
    return Figure(
        what,
        f"{number(found)}{unit}",
        reference,
        target=f"at most {number(target)}{unit}",
        met=found <= target,
    )
