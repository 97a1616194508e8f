"""Remembers millions of journal lines in eight bytes each."""

from array import array
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from signals.journal import Line, Offset

SEGMENT_SHIFT = 40
"""Bits for the byte: a segment of up to a tebibyte."""


class LinesSeen:
    """The places of lines, to be asked about once all were added."""

    def __init__(self) -> None:
        self._places = array("Q")
        self._sorted: npt.NDArray[np.uint64] | None = None

    def add(self, offset: Offset) -> None:
        self._places.append(_place(offset))
        self._sorted = None

    def others(self, lines: Sequence[Line]) -> list[Line]:
        """Those of `lines` that were not added."""
        if self._sorted is None:
            self._sorted = np.sort(np.frombuffer(self._places, dtype=np.uint64))
        if not self._sorted.size or not lines:
            return list(lines)
        asked = np.array([_place(line.offset) for line in lines], dtype=np.uint64)
        found = np.searchsorted(self._sorted, asked).clip(max=self._sorted.size - 1)
        unseen = np.flatnonzero(self._sorted[found] != asked)
        return [lines[index] for index in unseen.tolist()]


def _place(offset: Offset) -> int:
    return offset.segment << SEGMENT_SHIFT | offset.byte
