"""Celery's consumer without native delayed delivery.

Where Celery finds a quorum queue, it would make 28 queues for messages with a delay, and warn at
each start that Argo's queues are not fit for it. Argo sends no message with a delay.
"""

from celery.worker import consumer


class Consumer(consumer.Consumer):
    """Takes messages from the broker."""

    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[valid-type,misc]  # untyped
        """The steps of the consumer."""

        default_steps = tuple(
            step
            for step in consumer.Consumer.Blueprint.default_steps
            if not step.endswith(":DelayedDelivery")
        )
