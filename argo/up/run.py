"""Runs `manage.py up`, from taking the lock to the end of the last process."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.checks import INFO, WARNING

from argo import locks
from argo.celery import app
from argo.logs.secrets import hider, known_secrets
from argo.private import make_private
from argo.up import admin_user, demo, demo_alpine, demo_record, messages, roles
from argo.up.apart import apart
from argo.up.child import Launch, Spec
from argo.up.child_logs import ChildLogs
from argo.up.children import celery_nodes, specs
from argo.up.demo_alpine import DemoAlpine
from argo.up.detail import Detail
from argo.up.output import Output
from argo.up.port import ensure_free
from argo.up.prepare import (
    CannotStart,
    check_execution,
    check_generation,
    check_system,
    claim_node,
    declare_queues,
    exclusive_database,
    migrate_database,
    release_node,
    warn_of_keys,
)
from argo.up.readiness import Probe, Readiness, nodes_not_ready, socket_not_ready, web_not_ready
from argo.up.roles import Roles
from argo.up.supervisor import OWN_NAME, Supervisor
from signals.locks import FileLock, LockedByAnother

Say = Callable[[str], None]

LOGGED_LATER = ("argo.W010",)
"""Checks whose warning is logged once the tables are up to date; only then it is complete."""

NOT_OF_A_DEMO = ("sync.W002",)
"""Checks that a demo does not need: its processes get their Alpine only when they start."""

CHECKS_PER_REMINDER = 150
"""The number of checks, ten per second, between two lines that say what is not ready yet."""


def up(
    output: Output,
    chosen: Roles,
    launch: Launch,
    *,
    with_demo: bool,
    detail: Detail = Detail.USUAL,
) -> bool:
    """Run these roles of Argo until it is asked to stop; return whether every process ended without
    being killed.

    `launch` starts the processes, and `detail` says how much is printed.

    Raises:
        ArgoError: it cannot be started; the message says why.
    """
    lock = locks.of_up()
    _take(lock)
    try:
        if roles.WEB in chosen:
            ensure_free(settings.WEB_HOST, settings.WEB_PORT)
        needless = NOT_OF_A_DEMO if with_demo else ()
        say = partial(output.print, OWN_NAME)
        apart(lambda: _prepare(say, chosen, detail, needless), output.finish)
        alpine = demo_alpine.demo_alpine() if with_demo else None
        return _supervise(output, chosen, launch, alpine, detail)
    finally:
        lock.release()


def _take(lock: FileLock) -> None:
    try:
        lock.acquire()
    except LockedByAnother as error:
        raise CannotStart(
            f"Argo already runs on {settings.DATA_DIR}, as {error.holder}. "
            "Stop it, or set ARGO_DATA_DIR to another folder."
        ) from error
    except OSError as error:
        raise CannotStart(
            f"{lock.path} cannot be written ({error.strerror}). Correct its permissions, or set "
            "ARGO_DATA_DIR to another folder."
        ) from error


def _prepare(say: Say, chosen: Roles, detail: Detail, needless: Collection[str]) -> None:
    report = say if detail > Detail.LEAST else _say_nothing
    report(f"Data in {settings.DATA_DIR}")
    make_private(settings.DATA_DIR)
    least = INFO if detail is Detail.ALL else WARNING
    check_system(report, least, [*needless, *LOGGED_LATER])
    if roles.GENERATION in chosen:
        check_generation()
    with exclusive_database():
        migrate_database()
        warn_of_keys()
        password = admin_user.make_first_admin()
    claim_node(say)
    if roles.EXECUTION in chosen:
        check_execution(report)
    declare_queues(app)
    if password:
        say(messages.first_admin(admin_user.NAME, password))


def _say_nothing(text: str) -> None:
    """Leave it to the `up` that runs this one, which says the same of itself."""


def _supervise(
    output: Output, chosen: Roles, launch: Launch, alpine: DemoAlpine | None, detail: Detail
) -> bool:
    if alpine:
        demo_record.begin(alpine)
    names = [OWN_NAME, demo.NAME, *(spec.name for spec in specs(chosen))]
    logs = ChildLogs(
        messages.logs_folder(), names, output.print,
        hide=hider(known_secrets(settings)), everything=detail is Detail.ALL,
    )  # fmt: skip
    supervisor = Supervisor(logs.add, settings.BASE_DIR, launch=launch)
    say = partial(output.print, OWN_NAME) if detail > Detail.LEAST else _say_nothing
    try:
        with TemporaryDirectory(prefix="argo-") as folder:  # a socket's path must be short
            pages_socket = f"{folder}/pages"
            for spec in _all_specs(chosen, pages_socket, alpine, detail):
                supervisor.add(spec)
            steps = _steps(say, chosen, supervisor, pages_socket, alpine)
            return supervisor.run(_until_output_is_lost(output, supervisor, steps))
    finally:
        logs.close()
        release_node()


def _all_specs(
    chosen: Roles, pages_socket: str, alpine: DemoAlpine | None, detail: Detail
) -> list[Spec]:
    own = specs(chosen, pages_socket)
    return [*map(alpine.as_alpine_of, own), alpine.spec(detail)] if alpine else own


def _steps(
    say: Say, chosen: Roles, supervisor: Supervisor, pages_socket: str, alpine: DemoAlpine | None
) -> Iterator[None]:
    yield from _until_ready(say, chosen, pages_socket, alpine)
    say(messages.ready(has_web=roles.WEB in chosen))
    if alpine:
        yield from demo.run_demo(supervisor.add, say, alpine)


def _until_ready(
    say: Say, chosen: Roles, pages_socket: str, alpine: DemoAlpine | None
) -> Iterator[None]:
    probes = dict(_probes(chosen, pages_socket))
    if alpine:
        probes["alpine"] = partial(web_not_ready, demo_alpine.HOST, alpine.port)
    readiness = Readiness(probes)
    checks = 0
    while waiting := readiness.check():
        checks += 1
        if checks % CHECKS_PER_REMINDER == 0:
            say("Waiting for " + "; ".join(f"{name}: {why}" for name, why in waiting.items()))
        yield


def _probes(chosen: Roles, pages_socket: str) -> Iterator[tuple[str, Probe]]:
    if roles.WEB in chosen:
        yield "web", partial(web_not_ready, messages.local_host(), settings.WEB_PORT)
        if not chosen.is_small:
            yield "pages", partial(socket_not_ready, pages_socket)
    if nodes := celery_nodes(chosen):
        yield "Celery", partial(nodes_not_ready, app, nodes)


def _until_output_is_lost(
    output: Output, supervisor: Supervisor, steps: Iterator[None]
) -> Iterator[None]:
    """Advance `steps` until the terminal or pipe of the output is closed; then stop everything."""
    while not output.is_lost:
        next(steps, None)
        yield
    supervisor.ask_to_stop()
