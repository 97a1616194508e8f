"""Enough witnesses are so many of those who are named, each counted once; nobody else counts."""

import pytest

from signals.record.quorum import Quorum, parse_quorum
from signals.record.signing import WitnessSigner

KEYS = [WitnessSigner(f"witness.example/w{n}", bytes([n]) * 32).key for n in range(1, 6)]
NAMES = [key.name for key in KEYS]


def quorum(count: int, least: int = 0) -> Quorum:
    texts = [f"{key} https://w{n}.example" for n, key in enumerate(KEYS[:count])]
    return parse_quorum(texts, least)


@pytest.mark.parametrize(("count", "least"), [(1, 1), (3, 1), (3, 2), (3, 3), (5, 4)])
def test_exactly_so_many_are_enough_and_one_fewer_is_not(count: int, least: int) -> None:
    enough = quorum(count, least)
    assert enough.least == least
    assert enough.is_reached(NAMES[:least])
    assert enough.is_reached(NAMES[:count])
    assert not enough.is_reached(NAMES[: least - 1])
    assert enough.is_reached(NAMES[count - least : count])


def test_strangers_and_repeats_do_not_count() -> None:
    enough = quorum(3, 2)
    assert not enough.is_reached([NAMES[0], NAMES[3], NAMES[4], "witness.example/other"])
    assert not enough.is_reached([NAMES[0], NAMES[0], NAMES[0]])
    assert not enough.is_reached([])


@pytest.mark.parametrize(("count", "least"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_without_a_number_it_takes_more_than_a_half(count: int, least: int) -> None:
    assert quorum(count).least == least


def test_without_witnesses_nothing_is_ever_enough() -> None:
    assert quorum(0).least == 0
    assert not quorum(0).is_reached(NAMES)
