"""The traces: what Argo does while the power may go."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from signals.files import private
from signals.journal import Journal, JournalError, JournalPosition
from tests.power_cuts.cutting import Cutter, Report
from tests.power_cuts.disk import Luck
from tests.power_cuts.process import Act, Process
from tests.power_cuts.promises import Broken, Promises
from tests.power_cuts.trace import HandedOut, Sent
from tests.power_cuts.world import IDENTITY, LOG, World, a_line, a_world, lines


def web(world: World, *, with_secret: bool = True) -> None:
    """Start, and take signals in."""
    world.start(with_secret=with_secret)
    journal = world.journal()
    for number in range(3):
        journal.append(lines(number + 1))


def flusher(world: World) -> None:
    """Start, and read what is pending."""
    world.start()
    journal = world.journal()
    world.recorder.tell(HandedOut(IDENTITY, journal.identity))
    read(journal)


def read(journal: Journal) -> None:
    for _ in journal.chunks():
        pass


@dataclass(frozen=True)
class Story:
    """Processes that run one after the other; the one at `victim` is killed, or finds no space.

    It is told again and again, until the victim has been hit at each of its system calls.
    """

    name: str
    acts: Callable[[World], list[Act]]
    victim: int = 0
    finds_no_space: bool = False

    def tell(self, cutter: Cutter) -> Report:
        """Cut the power at each moment after the victim was hit."""
        report = Report()
        for number in count():
            with a_world() as world:
                victim = self._run(world, number)
                named = replace(cutter, seed=f"{cutter.seed} {self.name} {number}")
                report += named.cut(world, Promises(), after=victim.hit_at or 0)
            if victim.hit_at is None:
                return report
        raise AssertionError

    def _run(self, world: World, number: int) -> Process:
        hit = {"fails_at" if self.finds_no_space else "dies_after": number}
        with world.recording() as recorder:
            processes = [
                recorder.run(act, **(hit if place == self.victim else {}))
                for place, act in enumerate(self.acts(world))
            ]
        return processes[self.victim]


def _starts(world: World) -> list[Act]:
    return [partial(web, world), partial(flusher, world)]


def _starts_of_the_flusher(world: World) -> list[Act]:
    return [partial(flusher, world), partial(web, world)]


def _starts_with_a_key_of_the_environment(world: World) -> list[Act]:
    return [partial(web, world, with_secret=False)] * 2


def _writers(world: World) -> list[Act]:
    """Three writers, of whom the second dies; the first has the file open all the time."""
    one, two, reader = world.journal(), world.journal(), world.journal()
    return [
        lambda: _begin(world, one),
        lambda: read(reader),
        lambda: _write(two),
        lambda: read(reader),
        lambda: _write(one),
        lambda: read(reader),
    ]


def _writers_without_a_reader_between(world: World) -> list[Act]:
    begin, read_first, victim, _, writer, reader = _writers(world)
    return [begin, read_first, victim, writer, reader]


def _torn(world: World) -> list[Act]:
    """A writer was killed in the middle of a write; the segment is full with what it wrote."""

    def torn() -> None:
        _begin(world, world.journal())
        sent = lines(12)
        world.recorder.tell(Sent(tuple(sent)))
        with private(world.data / LOG, "ab") as file:
            file.write(b"\n".join(sent)[:-100])

    journal = world.journal()
    return [torn, lambda: _write(journal), lambda: read(world.journal()), partial(web, world)]


def _begin(world: World, journal: Journal) -> None:
    world.start()
    journal.append(lines(2))


def _write(journal: Journal) -> None:
    """Write so much that a segment is sealed."""
    for number in (1, 4, 1, 6, 2):
        with suppress(JournalError):
            journal.append(lines(number))


def _taken_away(world: World, how: str) -> list[Act]:
    one, two, reader = world.journal(), world.journal(), world.journal()

    def go_on(journal: Journal) -> None:
        with suppress(JournalError):
            journal.append(lines(1))
            world.put_back()
            journal.append(lines(2))

    return [
        lambda: _begin(world, one),
        lambda: two.append(lines(2)),
        lambda: world.take_away(how),
        lambda: go_on(one),
        lambda: go_on(two),
        lambda: read(reader),
    ]


STORIES = (
    Story("the first minute", _starts),
    Story("the first minute, the flusher first", _starts_of_the_flusher),
    Story("the first minute, with ARGO_SECRET_KEY", _starts_with_a_key_of_the_environment),
    Story("a writer is killed, and a reader comes", _writers, victim=2),
    Story("a writer is killed, and another comes", _writers_without_a_reader_between, victim=2),
    Story("a writer is killed in its write", _torn, victim=1),
    Story("the disk is full", _writers, victim=2, finds_no_space=True),
    Story("the file is deleted", partial(_taken_away, how="delete"), victim=3),
    Story("the file is moved away", partial(_taken_away, how="move"), victim=3),
    Story("the file is replaced", partial(_taken_away, how="replace"), victim=3),
    Story(
        "the disk is full, and the file is deleted",
        partial(_taken_away, how="delete"),
        victim=3,
        finds_no_space=True,
    ),
)


LIVES = 3
"""How many power cuts a machine sees before a new one is taken."""
After = Callable[[World, Promises], Iterable[Broken]]


def lives(
    cutter: Cutter, acknowledgements: int, settle: After = lambda world, promises: ()
) -> Report:
    """Let machines work until that many signals are acknowledged, with several power cuts each.

    All is tried at each moment. Then one disk is taken, `settle` is called for it, and Argo
    starts on it again.
    """
    report = Report()
    dice = random.Random(cutter.seed)
    for number in count():
        promises = Promises()
        with a_world(segment_bytes=8 * 1024) as world:
            for life in range(LIVES):
                _live(world, promises.cursor, dice)
                named = replace(cutter, seed=f"{cutter.seed} machine {number} life {life}")
                report += named.cut(world, promises)
                luck = Luck(0.5, 0.5, 0.5, dice)
                world.cut_the_power(luck)
                for broken in settle(world, promises):
                    report.note(broken, luck, f"{named.seed}, settled")
                if report.acknowledged >= acknowledgements:
                    return report
    raise AssertionError


def _live(world: World, cursor: JournalPosition, dice: random.Random) -> None:
    """Start several processes at once, and let them work until the power fails."""
    with world.recording() as recorder:
        recorder.power_fails_after(dice.randint(20, 250))
        shared, alone, looped, reader = (world.journal() for _ in range(4))
        acts: list[Act] = [
            partial(_append_for_ever, shared, random.Random(dice.random())),
            partial(_append_for_ever, shared, random.Random(dice.random())),
            partial(_append_for_ever, alone, random.Random(dice.random())),
            partial(_append_in_a_loop, looped),
            partial(_drain_for_ever, world, reader, cursor),
        ]
        recorder.run(partial(flusher, world), *(partial(_started, world, act) for act in acts))


def _started(world: World, act: Act) -> None:
    world.start()
    act()


def _append_for_ever(journal: Journal, dice: random.Random) -> None:
    while True:
        journal.append(lines(dice.randint(1, 4)))


def _append_in_a_loop(journal: Journal) -> None:
    async def append() -> None:
        while True:
            await journal.append_async(a_line())

    async def several() -> None:
        await asyncio.gather(*(append() for _ in range(5)))

    try:
        asyncio.run(several())
    finally:
        journal.close()  # waits for its thread, which would go on after the recording


def _drain_for_ever(world: World, journal: Journal, position: JournalPosition) -> None:
    while True:
        world.recorder.live()
        chunk = journal.read(position, max_lines=20)
        if chunk is None:
            time.sleep(0.001)
        else:
            position = chunk.end
