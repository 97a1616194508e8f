"""What must be in order before the first process starts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from celery import Celery
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from kombu.exceptions import OperationalError

from argo.errors import ArgoError

PREPARING = 0x6172676F
"""The number of PostgreSQL's advisory lock; any would do."""


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


@contextmanager
def alone_in_database() -> Iterator[None]:
    """Hold off other machines that would prepare the same database; its connections are closed
    afterwards. A file has one machine, which `up` has locked already."""
    try:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [PREPARING])
        yield
    finally:
        connections.close_all()  # which ends the lock too


def migrate_database() -> None:
    """Bring the tables up to date."""
    call_command("migrate", interactive=False, verbosity=0)


def declare_queues(app: Celery) -> None:
    """Make the queues, so that a message sent before its worker has started waits for it.

    Raises:
        NotInOrder: the broker does not answer.
    """
    with app.connection_for_write() as broker:
        try:
            broker.ensure_connection(max_retries=2, timeout=10)
        except OperationalError as error:
            raise NotInOrder(
                f"The Celery broker {broker.as_uri()} does not answer ({error}). "
                "Start it, or correct CELERY_BROKER_URL."
            ) from error
        for queue in app.amqp.queues.values():
            queue(broker.default_channel).declare()


def _as_text(message: str, hint: str | None) -> str:
    return f"{message} {hint}" if hint else message


def check_execution(say: Callable[[str], None]) -> None:
    """Whether orders would get anywhere: an executor that nobody hears of trades nothing.

    Raises:
        ArgoError: the settings of execution do not fit together, or the broker refuses us for good.
    """
    from execution.brokers.protocol import BrokerError
    from execution.factory import trading_context

    try:
        money = trading_context().broker.account()
    except BrokerError as error:
        if error.permanent and settings.AUTO_EXECUTE:
            raise
        say(f"The broker does not answer for now: {error}")
    else:
        state = "are traded" if settings.AUTO_EXECUTE else "are not traded (AUTO_EXECUTE is off)"
        say(f"Account {settings.TRADING_ACCOUNT}: {money.equity:.2f}; signals {state}")
    finally:
        connections.close_all()


def check_generation() -> None:
    """What the generator's worker would fail on at every look is told at the start.

    Raises:
        ArgoError: the settings of generation do not fit together.
    """
    if settings.MARKET_IS_LIVE:
        from signals.generation.factory import recipe  # here, since it brings pandas along

        recipe()
