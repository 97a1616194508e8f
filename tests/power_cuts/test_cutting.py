"""Programs that are careless with files are found out; a careful one is not."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signals.files import kept_text, make_folder, sync_folder
from signals.journal import JournalPosition
from signals.journal.segments import fingerprint
from tests.power_cuts.cutting import Cutter, Report
from tests.power_cuts.promises import Promises
from tests.power_cuts.trace import Acknowledged, Given, HandedOut, Refused, Sent, Step
from tests.power_cuts.world import LOG, SECRET, World, a_line, a_world, lines


@pytest.fixture
def world() -> Iterator[World]:
    with a_world() as made:
        yield made


def report_of(world: World, act: Callable[[], object]) -> Report:
    """Run the act on a data folder that is there and empty; cut the power at each moment."""
    make_folder(world.data)
    with world.recording():
        act()
    return Cutter("test", lucks=4).cut(world, Promises())


def append(world: World, *data: bytes, syncs: bool = True, syncs_name: bool = True) -> None:
    """Append lines as a program does that need not be Argo."""
    with (world.data / LOG).open("ab") as file:
        file.writelines(line + b"\n" for line in data)
        file.flush()
        if syncs:
            os.fsync(file.fileno())
    if syncs_name:
        sync_folder(world.data)


def tell(world: World, *steps: Step) -> None:
    for step in steps:
        world.recorder.tell(step)


def rows(path: Path, *data: bytes) -> Given:
    """Return that these lines, which the file ends with, are given to the database."""
    end = path.stat().st_size
    with path.open("rb") as file:
        return Given(data, JournalPosition(1, end, fingerprint(file.fileno(), end)))


def test_a_careful_program_breaks_no_promise(world: World) -> None:
    def act() -> None:
        tell(world, HandedOut(SECRET, kept_text(world.data / SECRET, lambda: "x" * 50)))
        for line in lines(3):
            tell(world, Sent((line,)))
            append(world, line)
            tell(world, Acknowledged((line,)), rows(world.data / LOG, line))

    report = report_of(world, act)
    assert (report.acknowledged, report.broken) == (3, {})
    assert report.moments > 10


@pytest.mark.parametrize("omits", ["syncs", "syncs_name"])
def test_a_line_that_is_acknowledged_too_early_is_lost(world: World, omits: str) -> None:
    line = a_line()

    def act() -> None:
        tell(world, Sent((line,)))
        append(world, line, **{omits: False})
        tell(world, Acknowledged((line,)))

    assert report_of(world, act).broken["lost"]


def test_a_row_whose_line_is_not_synced_is_lost(world: World) -> None:
    line = a_line()

    def act() -> None:
        tell(world, Sent((line,)))
        append(world, line, syncs=False)
        tell(world, rows(world.data / LOG, line))

    assert report_of(world, act).broken["lost"]


def test_a_cursor_that_passes_a_line_is_noticed(world: World) -> None:
    one, two = lines(2)

    def act() -> None:
        tell(world, Sent((one, two)))
        append(world, one, two)
        tell(world, Acknowledged((one, two)), rows(world.data / LOG, two))

    assert report_of(world, act).broken == {"lost": 1}


def test_a_line_that_is_written_twice_is_noticed(world: World) -> None:
    line = a_line()

    def act() -> None:
        tell(world, Sent((line,)))
        append(world, line)
        append(world, line)
        tell(world, Acknowledged((line,)))

    assert report_of(world, act).broken["doubled"]


def test_a_line_that_was_refused_and_one_that_nobody_sent_are_noticed(world: World) -> None:
    refused, kept, foreign = lines(3)

    def act() -> None:
        tell(world, Sent((refused, kept)))
        append(world, refused, kept, foreign)
        tell(world, Refused((refused,)), Acknowledged((kept,)))

    assert report_of(world, act).broken["foreign"] > 1


@pytest.mark.parametrize("spoiled", [b'{"half":', b"{}"])
def test_a_line_that_is_spoiled_is_noticed(world: World, spoiled: bytes) -> None:
    assert report_of(world, lambda: append(world, spoiled)).broken["garbled"]


@pytest.mark.parametrize("before", ["", "whole" * 10])
def test_a_secret_that_is_written_in_place_is_noticed(world: World, before: str) -> None:
    def act() -> None:
        path = world.data / SECRET
        if before:
            kept_text(path, lambda: before)
            tell(world, HandedOut(SECRET, before))
        path.write_text("other" * 10)

    assert report_of(world, act).broken["secret"]


def test_two_processes_with_different_secrets_are_noticed(world: World) -> None:
    def act() -> None:
        value = kept_text(world.data / SECRET, lambda: "x" * 50)
        tell(world, HandedOut(SECRET, value), HandedOut(SECRET, "y" * 50))

    assert report_of(world, act).broken["secret"]
