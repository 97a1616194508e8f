"""System checks that report, before Argo runs, what would make it unsafe to run."""

import os
import resource
import sqlite3
from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.utils.module_loading import import_string

from argo.private import is_shared_folder, open_to_others
from argo.sqlite.library import FIRST_FIXED
from argo.web.limits import OTHER_FILES
from signals.backup import mark_of
from signals.dialect import is_shared
from signals.management.command import OWN_CHECKS


@register(OWN_CHECKS, Tags.database)
def sqlite_library(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Report the SQLite version, as an error if it has the bug that can corrupt a WAL database."""
    running = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= FIRST_FIXED:
        return [Info(f"SQLite {running} runs.", id="argo.I001")] if databases else []
    wanted = ".".join(map(str, FIRST_FIXED))
    return [
        Error(
            f"SQLite {running} runs, which can corrupt a database in WAL mode.",
            hint=f"Argo needs {wanted} or later: run pip install -r requirements.txt.",
            id="argo.E001",
        )
    ]


@register(OWN_CHECKS)
def data_folder(**_: object) -> list[CheckMessage]:
    """Report a data folder that cannot be written."""
    if os.access(settings.DATA_DIR, os.W_OK | os.X_OK):
        return []
    hint = "Correct its permissions, or set ARGO_DATA_DIR to another folder."
    return [Error(f"{settings.DATA_DIR} cannot be written.", hint=hint, id="argo.E002")]


@register(OWN_CHECKS, Tags.database)
def private_data_folder(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Warn if others can read something in the data folder, which `up` makes private."""
    found = next(open_to_others(settings.DATA_DIR), None) if databases else None
    if found is None:
        return []
    hint = (
        "Set ARGO_DATA_DIR to a folder of its own: other programs use this one, and so Argo does "
        "not change its mode."
        if is_shared_folder(settings.DATA_DIR)
        else "Start Argo with argo up, which corrects it; or run argo doctor --fix as the owner."
    )
    return [Warning(f"{found} is open to other users.", hint=hint, id="argo.W011")]


@register(OWN_CHECKS, Tags.database)
def running_as_root(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Warn if Argo runs as root; only before it starts, not at every command."""
    if not databases or os.geteuid() != 0:
        return []
    hint = (
        "Start it as a user of its own, who owns the data folder: "
        "useradd --system argo; chown -R argo:argo DATA_FOLDER"
    )
    text = "Argo runs as root: what breaks into it, or a mistake, reaches the whole machine."
    return [Warning(text, hint=hint, id="argo.W003")]


@register(OWN_CHECKS, Tags.database)
def pool_of_one(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Warn if threads must wait for one SQLite connection; only before Argo starts."""
    if not databases or is_shared("default") or settings.SIGNAL_POOL_SIZE > 1:
        return []
    hint = "Set SIGNAL_POOL_SIZE=5, or remove it from the settings."
    text = "SIGNAL_POOL_SIZE is 1: the threads of a process wait for each other."
    return [Warning(text, hint=hint, id="argo.W004")]


@register(OWN_CHECKS, Tags.database)
def batch_of_one(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Warn if each signal starts a flush of its own; only before Argo starts."""
    if not databases or settings.SIGNAL_BATCH_SIZE > 1:
        return []
    hint = "Set SIGNAL_BATCH_SIZE=50, or remove it from the settings."
    text = "SIGNAL_BATCH_SIZE is 1: each signal starts a transaction of its own."
    return [Warning(text, hint=hint, id="argo.W005")]


@register(OWN_CHECKS, Tags.database)
def proxy_without_trust(databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Warn if all clients behind the proxy look like one; only before Argo starts."""
    if not databases or not settings.HTTPS or settings.TRUSTED_PROXIES:
        return []
    hint = "Set ARGO_TRUSTED_PROXIES to the address of the proxy, such as 127.0.0.1."
    text = (
        "ARGO_HTTPS is on, but no proxy is trusted: all clients have the proxy's address, and "
        "wrong logins of one slow the others."
    )
    return [Warning(text, hint=hint, id="argo.W006")]


@register(OWN_CHECKS, Tags.database)
def files_for_connections(
    databases: Sequence[str] | None = None, **_: object
) -> list[CheckMessage]:
    """Warn if the system allows fewer files than ARGO_WEB_CONNECTIONS needs; only at the start."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = settings.WEB_CONNECTIONS + OTHER_FILES
    if not databases or hard == resource.RLIM_INFINITY or hard >= wanted:
        return []
    hint = f"Allow {wanted} (ulimit -n; LimitNOFILE of systemd), or set ARGO_WEB_CONNECTIONS."
    text = f"A process may open {hard} files, too few for ARGO_WEB_CONNECTIONS."
    return [Warning(text, hint=hint, id="argo.W007")]


@register(OWN_CHECKS)
def unfinished_restore(**_: object) -> list[CheckMessage]:
    """Report a restore into the data folder that was interrupted."""
    if not mark_of(settings.DATA_DIR).exists():
        return []
    hint = (
        "Run manage.py restore with the same backup again; or set ARGO_DATA_DIR to a new folder, "
        "and DATABASE_URL to an empty database."
    )
    what = f"A restore into {settings.DATA_DIR} was interrupted."
    return [Error(what, hint=hint, id="argo.E010")]


@register(OWN_CHECKS)
def misspelt_settings(**_: object) -> list[CheckMessage]:
    """Warn of settings that do not exist: they have no effect, which is easy to overlook."""
    hint = "Find the right name in .env.example, or remove the setting."
    return [
        Warning(f"{name} is set, but there is no such setting.", hint=hint, id="argo.W002")
        for name in settings.UNKNOWN_SETTINGS
    ]


@register(OWN_CHECKS)
def stored_handlers(**_: object) -> list[CheckMessage]:
    """Report stored handlers that cannot be imported."""
    faults: list[CheckMessage] = []
    for path in settings.SIGNAL_STORED_HANDLERS:
        try:
            import_string(path)
        except ImportError as error:
            faults.append(Error(f"SIGNAL_STORED_HANDLERS names {path!r}: {error}", id="argo.E003"))
    return faults
