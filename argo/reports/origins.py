"""Chooses the origin that a report is about: signals of different origins are never mixed."""

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

UNKNOWN = "unknown"
HINDSIGHT = frozenset(("replay", "import", "backtest", "adopted", UNKNOWN))
"""Origins whose signals may have been made when their outcome was already known."""


class Origins(NamedTuple):
    """The origin that was chosen, and how many signals each origin has, most first."""

    chosen: str | None
    numbers: dict[str, int]

    @property
    def is_track_record(self) -> bool:
        """Return whether the signals were made before anybody could know their outcome."""
        return self.chosen is not None and self.chosen not in HINDSIGHT


def one_origin(table: pa.Table, wanted: str | None) -> tuple[pa.Table, Origins]:
    """Return the signals of the wanted origin; without one, of the most frequent origin."""
    names = pc.fill_null(table["origin"].cast(pa.string()), UNKNOWN)
    found = {each["values"]: each["counts"] for each in pc.value_counts(names).to_pylist()}
    numbers = dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))
    chosen = wanted or next(iter(numbers), None)
    return table.filter(pc.equal(names, chosen)), Origins(chosen, numbers)
