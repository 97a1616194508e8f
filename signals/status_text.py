"""The figures and lines that the status reports of sync and execution share."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

PERIODS = {"last_hour": timedelta(hours=1), "last_day": timedelta(days=1)}
"""The periods that a status reports on, by their key in it."""


class Capped(NamedTuple):
    """A count that stops at some number: if `is_least`, there may be more."""

    number: int
    is_least: bool = False

    def __bool__(self) -> bool:
        return self.number > 0

    def __float__(self) -> float:  # templates ask it for the plural
        return float(self.number)

    def __str__(self) -> str:
        return f"{self.number:,}{' or more' if self.is_least else ''}"

    def of(self, one: str, many: str) -> str:
        """Return it with the words for one or for many, as `counted` does."""
        return f"{self} {one if self.number == 1 else many}"


def counted(number: float, one: str, many: str) -> str:
    """Return the number with the words for one or for many: `1 line waits`, `2 lines wait`."""
    return f"{number:,.0f} {one if round(number) == 1 else many}"


def share(part: int, whole: int) -> float | None:
    """Return `part` as a share of `whole`, from 0 to 1; None if `whole` is 0."""
    return part / whole if whole else None


def age(moment: datetime | None, now: datetime) -> float | None:
    """Return the seconds from `moment` to `now`; None without a moment."""
    return (now - moment).total_seconds() if moment else None


def period_lines(
    found: Mapping[str, Any], describe: Callable[[dict[str, Any]], str]
) -> Iterator[str]:
    """Yield a line for each of `PERIODS`; `describe` gives the text for the period's figures."""
    for name in PERIODS:
        yield f"{name.replace('_', ' ')}: {describe(found[name])}"
