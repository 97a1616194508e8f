"""Gives each worker and beat a heart, and each worker a watch that tells problems."""

import logging
from contextlib import suppress
from functools import partial
from typing import Any

from celery import bootsteps
from django.conf import settings
from django.db import DatabaseError, connections

from argo.health.watch import Watch
from argo.metrics import samples
from signals import config, nodes
from signals.clock import utc_now
from signals.health import disk
from signals.health.heartbeats import BEAT, WORKER, Heart, Process
from signals.health.prices import oldest_old_price
from signals.ledger.ownership import ClonedNode

logger = logging.getLogger(__name__)


class HeartStep(bootsteps.StartStopStep):
    """Starts the heart of a worker before the worker takes messages.

    The heart asks the loop that takes messages to prove itself, as remote control does.
    """

    requires = ("celery.worker.components:Pool",)
    _heart: Heart | None = None
    _watch: Watch | None = None

    def start(self, parent: Any) -> None:  # noqa: ANN401  # Celery's WorkController
        claim_node()
        self._heart = worker_heart(parent)
        self._heart.start()
        self._watch = Watch.from_settings()
        self._watch.start()

    def stop(self, parent: Any) -> None:  # noqa: ANN401
        if self._heart:  # None if the worker was refused
            self._heart.stop()
        if self._watch:
            self._watch.stop()


def claim_node() -> None:
    """Claim this node for its data folder; exit with 1 if the folder is a copy of a living one.

    While the database does not answer, nobody can tell; the heart reports a copy later.
    """
    try:
        with suppress(DatabaseError):
            nodes.claim(config.journal())
    except ClonedNode as error:
        logger.error("%s", error)  # no traceback: it is a person's to correct
        raise SystemExit(error.exit_code) from error
    finally:
        connections.close_all()


def worker_heart(worker: Any) -> Heart:  # noqa: ANN401
    """Return the heart of a worker; one that serves flush samples its machine's disk and counters,
    too."""
    served = worker.app.amqp.queues.consume_from.values()
    queues = tuple(sorted(str(queue.alias or queue.name) for queue in served))
    node = config.journal().identity

    def sample() -> None:
        if "flush" in queues:
            disk.sample(node, settings.DATA_DIR)
            samples.sample(settings.METRICS_DIR, utc_now())

    return Heart(
        Process(node, WORKER, queues),
        ask=worker.consumer.call_soon,
        old_price=oldest_old_price,
        duties=[partial(nodes.report, config.journal()), sample],
    )


def beat_heart() -> Heart:
    """Return the heart of beat, whose every tick calls `prove`."""
    return Heart(
        Process(config.journal().identity, BEAT),
        ask=lambda prove: None,
        duties=[partial(nodes.report, config.journal())],
    )
