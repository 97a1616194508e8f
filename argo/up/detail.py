"""How much `up` prints."""

from enum import IntEnum


class Detail(IntEnum):
    """LEAST is for an `up` that another one runs: the first login, warnings and errors.

    USUAL adds what a person needs to begin, ALL every line of every process.
    """

    LEAST = 0
    USUAL = 1
    ALL = 2
