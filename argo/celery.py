"""The Celery application. A message is only a wake-up: it says that there is work."""

import logging.config
import os
import socket
import warnings
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging
from django.conf import settings
from kombu import Exchange, Queue
from kombu.transport import TRANSPORT_ALIASES

from signals.journal import Journal

TRANSPORT_ALIASES["filesystem"] = "argo.broker:Transport"
QUEUES = ("sync", "execution", "generation", "default")
"""Each kind of work has its own queue, as flush and record have, so that none waits for another."""
OWN_QUEUES = ("flush", "record")
"""Each machine has these for itself."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "argo.settings")
ON_ONE_MACHINE = settings.CELERY_BROKER_URL.startswith("filesystem")
IS_QUORUM = settings.QUEUE_TYPE == "quorum" and settings.CELERY_BROKER_URL.startswith("amqp")
"""RabbitMQ keeps quorum queues on several of its machines. Celery notices their type, and limits
what each consumer takes instead of the whole channel, which they do not support."""


def _own_queue(name: str) -> Queue:
    """Return the queue for flushes, or for the record.

    Each machine has its own journal: if several share a broker, each gets every message. Messages
    for a machine that is off are dropped; beat makes it flush later.
    """
    if ON_ONE_MACHINE:
        return Queue(name)
    return Queue(
        _typed(f"{name}.{_node()}"),
        Exchange(name, type="fanout"),
        alias=name,
        expires=3600,
        message_ttl=settings.SIGNAL_BATCH_TIMEOUT,
        queue_arguments=_arguments(),
    )


def _shared_queue(name: str) -> Queue:
    """Return the queue for one kind of work; any machine takes its messages."""
    if not IS_QUORUM:
        return Queue(name)
    exchange = Exchange(name, type="direct")
    return Queue(_typed(name), exchange, routing_key=name, alias=name, queue_arguments=_arguments())


def _typed(name: str) -> str:
    """Return the name of a queue: one that exists cannot change its type, so the name does."""
    return f"{name}.quorum" if IS_QUORUM else name


def _arguments() -> dict[str, str] | None:
    return {"x-queue-type": "quorum"} if IS_QUORUM else None


def _node() -> str:
    """Return the identity of this machine's data folder."""
    return Journal(settings.DATA_DIR / "signals.log").identity


app = Celery("argo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [*map(_own_queue, OWN_QUEUES), *map(_shared_queue, QUEUES)]
if ON_ONE_MACHINE:
    app.conf.broker_transport_options = {
        "data_folder_in": str(settings.BROKER_DIR),
        "data_folder_out": str(settings.BROKER_DIR),
        "control_folder": str(settings.BROKER_DIR / "control"),
        "polling_interval": 0.05,
    }
app.autodiscover_tasks()
app.steps["worker"].add("argo.health.heart:HeartStep")  # by name: it imports this module
warnings.filterwarnings(  # `argo.W003` says it once, and what to do
    "ignore", "You're running the worker with superuser privileges"
)


@setup_logging.connect(weak=False)
def keep_logging(**_: object) -> None:
    """Log as the settings say: with this receiver Celery adds no handlers or levels of its own."""
    logging.config.dictConfig(settings.LOGGING)


@celeryd_init.connect(weak=False)
def name_by_data_folder(instance: Any, **_: object) -> None:  # noqa: ANN401  # Celery's worker
    """Put the data folder's identity in place of the host name in the name of a worker.

    Machines may share a host name. Then RabbitMQ would refuse the queue of the second worker of one
    name, again and again.
    """
    name, _at, host = instance.hostname.partition("@")
    if host == socket.gethostname():
        instance.hostname = f"{name}@{_node()}"
