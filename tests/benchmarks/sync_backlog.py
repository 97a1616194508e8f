"""A long backlog of deliveries: how steadily the worker sends it, and how much memory it needs."""

import os
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import psutil
from django.db import connection

from signals.config import flusher, journal
from sync.models import Delivery
from tests.benchmarks import samples, servers
from tests.benchmarks.backlog import MIB, resident
from tests.benchmarks.figures import Figure, at_least, at_most, rate
from tests.benchmarks.workspace import Workspace, say

POLL_INTERVAL = 0.25


def run(workspace: Workspace) -> Iterator[Figure]:
    """Queue all deliveries before `up` starts; beat finds them."""
    count = workspace.size(100_000, 5_000)
    say(f"  queueing {count:,} deliveries")
    samples.fill(journal(), count, first=0)
    flusher().flush()
    journal().close()
    with servers.receiver(0.0) as endpoint:
        os.environ |= {"ALPINE_ENDPOINT": endpoint, "ALPINE_API_KEY": "benchmark"}
        with servers.up() as process:
            costs = _watched(servers.worker_of(process, "sync"), count)
    found = Delivery.objects.order_by("delivered_at").values_list("delivered_at", flat=True)
    times = [time for time in found if time is not None]
    tenth = count // 10
    first, last = _rate(times[: tenth + 1]), _rate(times[-tenth - 1 :])
    what = f"a backlog of {count:,} deliveries sent by the worker"
    yield at_least(f"{what}: rate of the last tenth, to the first", last / first * 100, 80, "%")
    yield at_most(f"{what}: peak memory", max(c.memory for c in costs) / MIB, 250, " MiB")
    yield Figure(f"- {what}", rate(_rate(times)))
    shown = ", ".join(f"{_cost(costs, at, at + tenth):.0f} µs" for at in (0, count - tenth))
    yield Figure(f"- {what}: processor time for each, in the first and the last tenth", shown)


class Sample(NamedTuple):
    """The worker's cost so far: deliveries, processor time in seconds, memory in bytes."""

    delivered: int
    seconds: float
    memory: int


def _watched(worker: psutil.Process, count: int) -> list[Sample]:
    taken: list[Sample] = []
    while not taken or taken[-1].delivered < count:
        time.sleep(POLL_INTERVAL)
        spent = worker.cpu_times()
        delivered = Delivery.objects.filter(delivered_at__isnull=False).count()
        connection.close()
        taken.append(Sample(delivered, spent.user + spent.system, resident(worker)))
    return taken


def _cost(taken: Sequence[Sample], first: int, last: int) -> float:
    """Return the worker's processor time between two counts, in microseconds a delivery."""
    within = [each for each in taken if first <= each.delivered <= last]
    begin, end = within[0], within[-1]
    return (end.seconds - begin.seconds) / (end.delivered - begin.delivered) * 1e6


def _rate(times: Sequence[datetime]) -> float:
    """Return deliveries a second."""
    return (len(times) - 1) / (times[-1] - times[0]).total_seconds()
