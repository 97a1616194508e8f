"""What `manage.py up` does, from the lock to the last child's end."""

from collections.abc import Callable, Iterator
from functools import partial

from django.conf import settings

from argo.celery import app
from argo.up import admin_user, demo, receiver, words
from argo.up.child import Spec
from argo.up.children import BEAT_NODE, specs, workers
from argo.up.output import Output
from argo.up.port import ensure_free
from argo.up.prepare import (
    NotInOrder,
    alone_in_database,
    check_execution,
    check_generation,
    check_system,
    declare_queues,
    migrate_database,
)
from argo.up.ready import Probe, Readiness, nodes_are_silent, web_is_silent
from argo.up.receiver import Receiver
from argo.up.supervisor import OWN_NAME, Supervisor
from signals.locks import FileLock, LockedByAnother

Say = Callable[[str], None]

REMIND_EVERY = 150
"""Looks, a tenth of a second apart, between two lines that say what is waited for."""


def up(output: Output, *, with_demo: bool) -> bool:
    """Run Argo until it is asked to stop; answers whether every process ended in peace.

    Raises:
        ArgoError: it cannot be started, and why.
    """
    lock = FileLock(settings.DATA_DIR / "up.lock")
    _take(lock)
    try:
        ensure_free(settings.WEB_HOST, settings.WEB_PORT)
        _prepare(partial(output.tell, OWN_NAME))
        return _supervise(output, receiver.receiver() if with_demo else None)
    finally:
        lock.release()


def _take(lock: FileLock) -> None:
    try:
        lock.acquire()
    except LockedByAnother as error:
        raise NotInOrder(
            f"Argo already runs on {settings.DATA_DIR}, as {error.holder}. "
            "Stop that one, or set ARGO_DATA_DIR to another folder."
        ) from error
    except OSError as error:
        raise NotInOrder(
            f"{lock.path} cannot be written ({error.strerror}). Correct its permissions, or set "
            "ARGO_DATA_DIR to another folder."
        ) from error


def _prepare(say: Say) -> None:
    say(f"Data in {settings.DATA_DIR}")
    check_system(say)
    check_generation()
    with alone_in_database():
        migrate_database()
        password = admin_user.make_first_admin()
    check_execution(say)
    declare_queues(app)
    if password:
        say(words.first_admin(admin_user.NAME, password))


def _supervise(output: Output, alpine: Receiver | None) -> bool:
    supervisor = Supervisor(output.tell, settings.BASE_DIR)
    for spec in _all_specs(alpine):
        supervisor.add(spec)
    story = _story(partial(output.tell, OWN_NAME), supervisor, alpine)
    return supervisor.run(_while_read(output, supervisor, story))


def _all_specs(alpine: Receiver | None) -> list[Spec]:
    return [*map(alpine.reached_by, specs()), alpine.spec()] if alpine else specs()


def _story(say: Say, supervisor: Supervisor, alpine: Receiver | None) -> Iterator[None]:
    yield from _until_ready(say, alpine)
    say(words.ready())
    if alpine:
        yield from demo.story(supervisor.add, say, alpine)


def _until_ready(say: Say, alpine: Receiver | None) -> Iterator[None]:
    nodes = [*(worker.node for worker in workers()), BEAT_NODE]
    probes: dict[str, Probe] = {
        "web": partial(web_is_silent, words.local_host(), settings.WEB_PORT),
        "Celery": partial(nodes_are_silent, app, nodes),
    }
    if alpine:
        probes["alpine"] = partial(web_is_silent, receiver.HOST, alpine.port)
    readiness = Readiness(probes)
    looks = 0
    while waiting := readiness.look():
        looks += 1
        if looks % REMIND_EVERY == 0:
            say("Waiting for " + "; ".join(f"{name}: {why}" for name, why in waiting.items()))
        yield


def _while_read(output: Output, supervisor: Supervisor, story: Iterator[None]) -> Iterator[None]:
    """The story, until the terminal or pipe that shows it is closed: then all is to stop."""
    while not output.is_lost:
        next(story, None)
        yield
    supervisor.ask_to_stop()
