"""Gives each worker and beat a heart, and each worker a watch that tells problems."""

from typing import Any

from celery import bootsteps
from django.conf import settings

from argo.health.watch import Watch
from argo.metrics import samples
from signals import config
from signals.clock import utc_now
from signals.health import disk
from signals.health.heartbeats import BEAT, WORKER, Heart, Process
from signals.health.prices import oldest_old_price


class HeartStep(bootsteps.StartStopStep):
    """Starts the heart of a worker before the worker takes messages.

    The heart asks the loop that takes messages to prove itself, as remote control does.
    """

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:  # noqa: ANN401  # Celery's WorkController
        self._heart = worker_heart(parent)
        self._heart.start()
        self._watch = Watch.from_settings()
        if self._watch:
            self._watch.start()

    def stop(self, parent: Any) -> None:  # noqa: ANN401
        self._heart.stop()
        if self._watch:
            self._watch.stop()


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
        duties=[sample],
    )


def beat_heart() -> Heart:
    """Return the heart of beat, whose every tick calls `prove`."""
    return Heart(Process(config.journal().identity, BEAT), ask=lambda prove: None)
