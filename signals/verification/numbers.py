"""A set of integers that takes eight bytes for each."""

from array import array
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from signals.journal import Offset

SEGMENT_SHIFT = 40
"""Bits for the byte, so that a segment may have up to a tebibyte."""


class Numbers:
    """A set of row ids or journal places. Add all numbers first, then look them up."""

    def __init__(self) -> None:
        self._values = array("q")
        self._sorted: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self._values)

    def update(self, values: Iterable[int]) -> None:
        self._values.extend(values)
        self._sorted = None

    def has(self, asked: Sequence[int]) -> list[bool]:
        """Return, for each, True if it was added."""
        if not len(self) or not asked:
            return [False] * len(asked)
        known = self._in_order()
        wanted = np.array(asked, dtype=np.int64)
        found = np.searchsorted(known, wanted).clip(max=known.size - 1)
        return (known[found] == wanted).tolist()  # type: ignore[no-any-return]

    def without(self, others: "Numbers") -> list[int]:
        """Return the numbers that `others` lacks, in order."""
        return np.setdiff1d(self._in_order(), others._in_order()).tolist()  # type: ignore[no-any-return]

    def _in_order(self) -> npt.NDArray[np.int64]:
        if self._sorted is None:
            self._sorted = np.sort(np.frombuffer(self._values, dtype=np.int64))
        return self._sorted


def place(offset: Offset) -> int:
    """Return the offset as one number."""
    return offset.segment << SEGMENT_SHIFT | offset.byte
