"""What a benchmark finds: figures, each beside what it is compared with and what is wanted."""

from typing import NamedTuple


class Figure(NamedTuple):
    """One row of the table; `ratio` is empty where Argo stands alone."""

    what: str
    argo: str
    reference: str = ""
    ratio: str = ""
    wanted: str = ""
    met: bool = True


def rate(per_second: float) -> str:
    """A rate as people read it."""
    return f"{number(per_second)}/s"


def number(value: float) -> str:
    """As many digits as mean something."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def times_as_fast(what: str, argo: float, reference: float, *, wanted: float, name: str) -> Figure:
    """Rates beside each other: Argo's should be at least `wanted` times that of `name`."""
    ratio = argo / reference
    return Figure(
        what,
        rate(argo),
        f"{rate(reference)}, {name}",
        f"{ratio:.2f}",
        f"at least {wanted:g}",
        ratio >= wanted,
    )


def at_least(what: str, found: float, wanted: float, unit: str) -> Figure:
    """A figure that should not be less than `wanted`."""
    return Figure(
        what,
        f"{number(found)}{unit}",
        wanted=f"at least {number(wanted)}{unit}",
        met=found >= wanted,
    )


def at_most(what: str, found: float, wanted: float, unit: str, *, reference: str = "") -> Figure:
    """A figure that should not exceed `wanted`."""
    return Figure(
        what,
        f"{number(found)}{unit}",
        reference,
        wanted=f"at most {number(wanted)}{unit}",
        met=found <= wanted,
    )
