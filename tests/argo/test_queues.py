"""Every task that beat sends goes to a queue that a worker of `up` reads."""

import pytest
from django.conf import settings

from argo.celery import app
from argo.up.children import GENERATION, WORKERS


@pytest.mark.parametrize("name", settings.CELERY_BEAT_SCHEDULE)
def test_a_worker_reads_the_queue_of_every_scheduled_task(name: str) -> None:
    read = {queue for worker in (*WORKERS, GENERATION) for queue in worker.queues}
    queue = app.amqp.router.route({}, settings.CELERY_BEAT_SCHEDULE[name]["task"])["queue"]
    assert (queue.alias or queue.name) in read
