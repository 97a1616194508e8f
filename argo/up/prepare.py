"""Checks and preparations before the first process starts."""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from celery import Celery
from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from kombu.exceptions import OperationalError

from argo.errors import ArgoError
from execution.brokers.protocol import BrokerError
from execution.factory import trading_context
from signals import keys, nodes
from signals.config import journal
from signals.database_locks import AdvisoryLock, Kind
from signals.dialect import is_shared

logger = logging.getLogger(__name__)


class CannotStart(ArgoError):
    """Argo cannot be started, or it would not be safe."""


def check_system(
    say: Callable[[str], None], least: int = WARNING, without: Collection[str] = ()
) -> None:
    """Run Django's system checks, including those of the database.

    Report messages of the level `least` and above, which is one of `django.core.checks`, except
    the warnings with an id in `without`.

    Raises:
        CannotStart: a check found an error.
    """
    messages = [item for item in run_checks(databases=[DEFAULT_DB_ALIAS]) if not item.is_silenced()]
    for message in messages:
        if least <= message.level and not message.is_serious() and message.id not in without:
            say(_as_text(message.msg, message.hint))
    serious = [_as_text(item.msg, item.hint) for item in messages if item.is_serious()]
    if serious:
        raise CannotStart("\n".join(serious))


@contextmanager
def exclusive_database() -> Iterator[None]:
    """Let only one machine at a time prepare a PostgreSQL database; close the connections after.

    A SQLite file belongs to one machine, which `up` has locked already.
    """
    lock = AdvisoryLock(Kind.PREPARE) if is_shared(DEFAULT_DB_ALIAS) else None
    try:
        if lock is not None:
            lock.wait()
        yield
    finally:
        if lock is not None:
            lock.release()
        connections.close_all()


def migrate_database() -> None:
    """Bring the tables up to date."""
    call_command("migrate", interactive=False, verbosity=0)


def warn_of_keys() -> None:
    """Log the keys that may trade only because they were made when `write` included it."""
    if names := keys.trading_since_before():
        logger.warning("%s %s", keys.sentence(names), keys.ADVICE)


def claim_node(say: Callable[[str], None]) -> None:
    """Claim this node for its data folder.

    Raises:
        ClonedNode: the folder is a copy of one that is in use.
    """
    try:
        nodes.claim(journal(), say)
    finally:
        connections.close_all()


def release_node() -> None:
    """Report that this node was stopped. If the database does not answer, it counts as gone."""
    try:
        nodes.release(journal())
    except (DatabaseError, OSError) as error:
        logger.warning("It could not be stored that this node was stopped: %s", error)
    finally:
        connections.close_all()


def declare_queues(app: Celery) -> None:
    """Create the queues, so that messages wait for workers that have not started yet.

    Raises:
        CannotStart: the broker does not answer.
    """
    with app.connection_for_write() as broker:
        try:
            broker.ensure_connection(max_retries=2, timeout=10)
        except OperationalError as error:
            raise CannotStart(
                f"The Celery broker {broker.as_uri()} does not answer ({error}). "
                "Start it, or correct CELERY_BROKER_URL."
            ) from error
        for queue in app.amqp.queues.values():
            queue(broker.default_channel).declare()


def _as_text(message: str, hint: str | None) -> str:
    return f"{message} {hint}" if hint else message


def check_execution(say: Callable[[str], None]) -> None:
    """Check that orders can reach the broker, and report the account.

    Raises:
        ArgoError: the settings of execution contradict each other, or the broker refuses access
            permanently while AUTO_EXECUTE is on.
    """
    try:
        money = trading_context().broker.account()
    except BrokerError as error:
        if error.permanent and settings.AUTO_EXECUTE:
            raise
        say(f"The broker does not answer at the moment: {error}")
    else:
        state = "are traded" if settings.AUTO_EXECUTE else "are not traded (AUTO_EXECUTE is off)"
        say(f"Account {settings.TRADING_ACCOUNT}: {money.equity:.2f}; signals {state}")
    finally:
        connections.close_all()


def check_generation() -> None:
    """Check the settings of generation, so that the worker does not fail later.

    Raises:
        ArgoError: the settings of generation contradict each other.
    """
    if settings.MARKET_IS_LIVE:
        from signals.generation import factory  # here, since it brings pandas along

        factory.pipeline()
