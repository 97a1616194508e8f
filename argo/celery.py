"""The Celery application. A message is only a wake-up: it says that there is work."""

import logging.config
import os
import warnings

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from kombu import Exchange, Queue
from kombu.transport import TRANSPORT_ALIASES

from signals.journal import Journal

TRANSPORT_ALIASES["filesystem"] = "argo.broker:Transport"
QUEUES = ("sync", "execution", "generation", "default")
"""Each kind of work has its own queue, as flush has, so that none waits behind another."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "argo.settings")
ON_ONE_MACHINE = settings.CELERY_BROKER_URL.startswith("filesystem")


def _flush_queue() -> Queue:
    """Return the queue for flushes.

    Each machine has its own journal: if several share a broker, each gets every message. Messages
    for a machine that is off are dropped; beat makes it flush later.
    """
    if ON_ONE_MACHINE:
        return Queue("flush")
    journal = Journal(settings.DATA_DIR / "signals.log")
    return Queue(
        f"flush.{journal.identity}",
        Exchange("flush", type="fanout"),
        alias="flush",
        expires=3600,
        message_ttl=settings.SIGNAL_BATCH_TIMEOUT,
    )


app = Celery("argo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [_flush_queue(), *map(Queue, QUEUES)]
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
