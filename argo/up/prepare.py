"""What must be in order before the first process starts."""

from collections.abc import Callable

from celery import Celery
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from kombu.exceptions import OperationalError

from argo.errors import ArgoError


class NotInOrder(ArgoError):
    """Argo would not be safe to run, or could not."""


def check_system(say: Callable[[str], None]) -> None:
    """Run Django's system checks, the database's too, and say what they found.

    Raises:
        NotInOrder: one found an error.
    """
    messages = [item for item in run_checks(databases=[DEFAULT_DB_ALIAS]) if not item.is_silenced()]
    for message in messages:
        if not message.is_serious():
            say(_as_text(message.msg, message.hint))
    serious = [_as_text(item.msg, item.hint) for item in messages if item.is_serious()]
    if serious:
        raise NotInOrder("\n".join(serious))


def migrate_database() -> None:
    """Bring the tables up to date; the connection is closed afterwards."""
    call_command("migrate", interactive=False, verbosity=0)
    connections.close_all()


def declare_queues(app: Celery) -> None:
    """Make the queues, so that a message sent before its worker has started waits for it.

    Raises:
        NotInOrder: the broker does not answer.
    """
    with app.connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=2, timeout=10)
        except OperationalError as error:
            raise NotInOrder(
                f"The Celery broker {connection.as_uri()} does not answer ({error}). "
                "Start it, or correct CELERY_BROKER_URL."
            ) from error
        for queue in app.amqp.queues.values():
            queue(connection.default_channel).declare()


def _as_text(message: str, hint: str | None) -> str:
    return f"{message} {hint}" if hint else message
