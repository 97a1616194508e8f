"""Cuts the power at each moment of a trace, and looks at what Argo finds afterwards."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from tests.power_cuts.disk import Disk, Luck, lucks
from tests.power_cuts.layout import Contents, lay_out
from tests.power_cuts.promises import GARBLED, HOLE, Broken, Promises
from tests.power_cuts.trace import Change, Sync
from tests.power_cuts.world import World

Look = Callable[[Promises], Iterable[Broken]]
"""Starts Argo on the disk that was laid out; yields the promises that do not hold."""
KINDS = ("lost", "doubled", "foreign", "secret", "append", GARBLED, "verification")
SHOWN = 10


@dataclass
class Report:
    """What was tried, and what did not hold."""

    acknowledged: int = 0
    moments: int = 0
    disks: int = 0
    holes: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def note(self, broken: Broken, luck: Luck, where: str) -> None:
        """Count what does not hold.

        A write that reached the disk in parts leaves lines that cannot be read. They were never
        acknowledged: no promise is broken, and each becomes a dead letter.
        """
        if broken.kind == HOLE or (broken.kind == GARBLED and not luck.is_plain):
            self.holes += 1
            return
        self.broken[broken.kind] += 1
        if len(self.examples) < SHOWN:
            self.examples.append(f"{broken} (at {where})")

    def __add__(self, other: "Report") -> "Report":
        return Report(
            self.acknowledged + other.acknowledged,
            self.moments + other.moments,
            self.disks + other.disks,
            self.holes + other.holes,
            self.broken + other.broken,
            (self.examples + other.examples)[:SHOWN],
        )

    def __str__(self) -> str:
        counts = ", ".join(f"{self.broken[kind]} {kind}" for kind in KINDS)
        return (
            f"{self.acknowledged} acknowledged, {self.moments} moments, {self.disks} disks, "
            f"{self.holes} lines in part: {counts}"
        )


@dataclass(frozen=True)
class Cutter:
    """Tries power cuts. At each moment it tries the extreme disks, and `lucks` random ones.

    Only this share of the moments is tried, chosen at random, and the last one.
    """

    seed: str
    lucks: int
    share: float = 1.0

    def cut(
        self, world: World, promises: Promises, *, after: int = 0, look: Look | None = None
    ) -> Report:
        """Try the moments of the world's trace from the step `after` on; `promises` go along."""
        trace, disk = world.recorder.trace, world.recorder.disk()
        report, before = Report(), len(promises.acknowledged)
        dice = random.Random(self.seed)
        for place, step in enumerate([*trace, Sync(0, 0)]):
            is_moment = isinstance(step, Change | Sync) and place >= after
            if is_moment and (place == len(trace) or dice.random() < self.share):
                report.moments += 1
                looking = partial(look or world.look, promises)
                self._try(f"{self.seed} {place}", world, disk, looking, report)
            if place < len(trace):
                disk.take(place, step)
                promises.take(step)
        report.acknowledged = len(promises.acknowledged) - before
        return report

    def _try(
        self,
        seed: str,
        world: World,
        disk: Disk,
        look: Callable[[], Iterable[Broken]],
        report: Report,
    ) -> None:
        tried: list[Contents] = []
        for luck in lucks(seed, self.lucks):
            contents = disk.after(luck)
            if contents not in tried:
                tried.append(contents)
                lay_out(world.after, contents)
                report.disks += 1
                for broken in look():
                    report.note(broken, luck, f"{seed}, {luck}")
