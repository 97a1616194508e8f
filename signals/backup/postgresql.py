"""Snapshots of PostgreSQL, by pg_dump and pg_restore.

Both are fed and read through pipes: if Argo dies, they end too, and pg_restore's one transaction is
rolled back. The password reaches them in the environment, never on a command line.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.postgresql.client import DatabaseClient

from argo.errors import ArgoError
from signals.backup.database import State, read_state
from signals.backup.errors import BackupFailed, NotRestored
from signals.backup.files import BLOCK_BYTES, Progress, StoredFile, read_file, store
from signals.backup.manifest import Kind, Manifest
from signals.dialect import has_own_session

PLAIN = ("--no-password", "--no-owner", "--no-privileges")
"""Nobody may be there to answer, and the roles of one server need not exist on another."""
INSTALL = (
    "Install PostgreSQL's client programs, version {wanted} or later, on this machine (Debian: "
    "postgresql-client-{wanted})."
)
BEHIND_POOLER = (
    "DATABASE_URL leads to a pooler, such as pgbouncer, and {name} needs the server itself: set "
    "DATABASE_DIRECT_URL to the server's own address."
)
NAMES = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "NAME": "PGDATABASE"}
TRUNCATED = 2000
"""The number of characters that are kept of a program's own error."""
OTHER_RESTORE_WAIT = 60.0
"""Seconds."""
_OTHER_RESTORES = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND application_name = 'pg_restore'"
)


@dataclass(frozen=True)
class PostgresqlDatabase:
    """A Django database on a PostgreSQL server; Argo may use it meanwhile."""

    using: str = "default"
    kind: Kind = "postgresql"
    file_name: str = "database.dump"

    def size(self) -> int:
        """Return 0: a dump is compressed."""
        return 0

    def snapshot(self, path: Path, journal: str, progress: Progress) -> tuple[StoredFile, State]:
        """Dump the database as it is now, while others write. Raises BackupFailed and OSError."""
        program = self._program("pg_dump", BackupFailed)
        with transaction.atomic(using=self.using):
            self._query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            ((name,),) = self._query("SELECT pg_export_snapshot()")
            state = read_state(self._query, journal)
            command = [program, "--format=custom", *PLAIN, f"--snapshot={name}"]
            with self._running(command, BackupFailed, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None  # noqa: S101  # it is a pipe
                return store(_blocks(process.stdout), path, progress), state

    def occupied(self) -> list[str]:
        """Return the database if it has tables. Raises NotRestored."""
        self._wait_for_other_restores()
        return [f"the tables of the database {self._name}"] if self._tables() else []

    def holds(self, manifest: Manifest) -> bool:
        """Return whether the database is at the snapshot's state. Raises NotRestored."""
        self._wait_for_other_restores()
        if "django_migrations" not in self._tables():
            return False
        return read_state(self._query, manifest.journal) == State(
            manifest.migrations, manifest.cursor
        )

    def restore(self, path: Path, progress: Progress) -> None:
        """Restore the dump in one transaction. Raises NotRestored and OSError."""
        program = self._program("pg_restore", NotRestored)
        command = [program, "--single-transaction", "--exit-on-error", *PLAIN]
        command.append(f"--dbname={self._name}")
        connections[self.using].close()
        with self._running(command, NotRestored, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None  # noqa: S101  # it is a pipe
            with suppress(BrokenPipeError), process.stdin as pipe:  # it ended early, and says why
                for block in read_file(path):
                    pipe.write(block)
                    progress(len(block))

    def _wait_for_other_restores(self) -> None:
        """Wait until the program of a restore that was killed has ended, with or without success.

        Raises NotRestored if that takes too long.
        """
        deadline = time.monotonic() + OTHER_RESTORE_WAIT
        while self._query(_OTHER_RESTORES) != [(0,)]:
            if time.monotonic() > deadline:
                raise NotRestored(
                    "Another pg_restore works on this database. Wait until it has ended, or end "
                    "it, and run restore again."
                )
            time.sleep(0.05)

    @property
    def _address(self) -> dict[str, Any]:
        """Return Django's settings of the server itself: the programs set up their session."""
        direct: dict[str, Any] | None = settings.DATABASE_DIRECT
        return direct or connections[self.using].settings_dict

    @property
    def _name(self) -> str:
        return str(self._address["NAME"])

    def _query(self, statement: str) -> list[tuple[Any, ...]]:
        with connections[self.using].cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _tables(self) -> list[str]:
        with connections[self.using].cursor() as cursor:
            return connections[self.using].introspection.table_names(cursor)

    def _program(self, name: str, failure: type[ArgoError]) -> str:
        """Return the program's path. Raises `failure` if it is missing or older than the server."""
        connections[self.using].ensure_connection()
        if settings.DATABASE_DIRECT is None and not has_own_session(self.using):
            raise failure(BEHIND_POOLER.format(name=name))
        server = connections[self.using].pg_version // 10000  # type: ignore[attr-defined]
        advice = INSTALL.format(wanted=server)
        if (path := shutil.which(name)) is None:
            raise failure(
                f"{name} is not installed. {advice} (Debian: postgresql-client-{server})."
            )
        says = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        found = re.search(r"\d+", says.stdout)
        if found and int(found[0]) < server:
            raise failure(f"{path} has version {found[0]}, and the server has {server}. {advice}")
        return path

    @contextmanager
    def _running(
        self,
        command: list[str],
        failure: type[ArgoError],
        *,
        stdin: int | None = None,
        stdout: int | None = None,
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """Run a program to its end. Raises `failure` with the program's own error."""
        with TemporaryFile() as errors:
            with subprocess.Popen(
                command, env=self._environment(), stdin=stdin, stdout=stdout, stderr=errors
            ) as process:
                try:
                    yield process
                except BaseException:
                    process.kill()
                    raise
            if process.returncode != 0:
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip()[:TRUNCATED]
                name = Path(command[0]).name
                raise failure(f"{name} failed with exit code {process.returncode}: {said}")

    def _environment(self) -> dict[str, str]:
        """Return what libpq needs, in the form that Django gives it to psql, and more."""
        address = self._address
        _, own = DatabaseClient.settings_to_cmd_args_env(address, [])
        named = {variable: str(address[name]) for name, variable in NAMES.items()}
        given = {name: value for name, value in named.items() if value}
        return {**os.environ, "LC_ALL": "C", **given, **(own or {})}


def _blocks(pipe: IO[bytes]) -> Iterator[bytes]:
    while block := pipe.read(BLOCK_BYTES):
        yield block
