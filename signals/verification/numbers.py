"""Remembers millions of whole numbers in eight bytes each."""

from array import array
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from signals.journal import Offset

SEGMENT_SHIFT = 40
"""Bits for the byte: a segment of up to a tebibyte."""


class Numbers:
    """A set that is asked once all was added: row ids, or places in the journal."""

    def __init__(self) -> None:
        self._values = array("q")
        self._sorted: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self._values)

    def update(self, values: Iterable[int]) -> None:
        self._values.extend(values)
        self._sorted = None

    def has(self, asked: Sequence[int]) -> list[bool]:
        """For each, whether it was added."""
        if not len(self) or not asked:
            return [False] * len(asked)
        known = self._in_order()
        wanted = np.array(asked, dtype=np.int64)
        found = np.searchsorted(known, wanted).clip(max=known.size - 1)
        return (known[found] == wanted).tolist()  # type: ignore[no-any-return]

    def without(self, others: "Numbers") -> list[int]:
        """Those that `others` has not, in order."""
        return np.setdiff1d(self._in_order(), others._in_order()).tolist()  # type: ignore[no-any-return]

    def _in_order(self) -> npt.NDArray[np.int64]:
        if self._sorted is None:
            self._sorted = np.sort(np.frombuffer(self._values, dtype=np.int64))
        return self._sorted


def place(offset: Offset) -> int:
    """A place in the journal as one number."""
    return offset.segment << SEGMENT_SHIFT | offset.byte
