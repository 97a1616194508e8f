"""Heartbeats as running workers and beat write them."""

from datetime import timedelta
from itertools import count
from typing import Any

from argo.up.children import workers
from argo.up.roles import all_roles
from signals import config
from signals.dialect import database_now
from signals.health.heartbeats import BEAT, WORKER
from signals.models import Heartbeat

_pids = count(1)


def alive(role: str = WORKER, queues: str = "", ago: float = 0.0, **changes: Any) -> Heartbeat:  # noqa: ANN401
    """Write the heartbeat of a process of this machine, which came `ago` seconds ago."""
    seen = database_now() - timedelta(seconds=ago)
    fields = {
        "node": config.journal().identity,
        "host": "here",
        "pid": next(_pids),
        "started_at": seen,
        "seen_at": seen,
    }
    return Heartbeat.objects.create(role=role, queues=queues, **(fields | changes))


def all_alive() -> None:
    """Write the heartbeats of everything that `up` runs."""
    for worker in workers(all_roles()):
        alive(queues=" ".join(worker.queues))
    alive(BEAT)
