"""The same with a database: what is on the disk after a power cut is stored there and verified."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

from signals import nodes
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.models import SignalContext
from signals.verification import Verification, verify
from tests.power_cuts.cutting import Cutter, Report
from tests.power_cuts.promises import Broken, Promises
from tests.power_cuts.scenarios import flusher, web
from tests.power_cuts.world import LOG, World, a_world


def stored(world: World, promises: Promises) -> Iterator[Broken]:
    """Flush what is on the world's disk, and verify it; yield what does not hold."""
    with closing(Journal(world.data / LOG, segment_bytes=world.segment_bytes)) as journal:
        Flusher(journal).flush()
        yield from _broken_rows(journal.identity, promises, verify(journal))


def adoptions(cutter: Cutter, every: int = 1) -> Report:
    """Kill a node at each of its calls; adopt its folder, and cut the power meanwhile.

    What the disk holds in the end is adopted again. Of `every` calls, only one is tried.
    """
    report = Report()
    for number in count(step=every):
        with a_world() as world:
            with world.recording() as recorder:
                recorder.run(partial(flusher, world))
                lost = recorder.run(partial(web, world), dies_after=number)
                nodes.adopt(world.data)
            named = replace(cutter, seed=f"{cutter.seed} adoption {number}")
            report += named.cut(world, Promises(), after=lost.hit_at or 0)
            report += named.cut(
                world, Promises(), after=len(recorder.trace), look=partial(_adopted_again, world)
            )
        if lost.hit_at is None:
            return report
    raise AssertionError


def _adopted_again(world: World, promises: Promises) -> Iterable[Broken]:
    adopted = nodes.adopt(_data_after(world))
    return _broken_rows(adopted.identity, promises, adopted.verified)


def _data_after(world: World) -> Path:
    return world.after / world.data.relative_to(world.root)


def _broken_rows(identity: str, promises: Promises, verified: Verification) -> Iterator[Broken]:
    contexts = SignalContext.objects.filter(journal__journal=identity)
    rows = set(contexts.values_list("signal__signal_id", flat=True))
    if missing := _ids(promises.acknowledged | promises.rows & promises.sent) - rows:
        yield Broken("lost", f"without a row: {missing}")
    if foreign := rows - _ids(promises.sent):
        yield Broken("foreign", f"rows that nobody sent: {foreign}")
    yield from (Broken("verification", str(finding)) for finding in verified.findings)


def _ids(lines: Iterable[bytes]) -> set[str]:
    return {json.loads(line)["signal_id"] for line in lines}
