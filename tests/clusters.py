"""Own PostgreSQL servers: a primary with a standby that it waits for, made by the server's own
programs."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

from tests import leftovers
from tests.argo.up.processes import wait_until, wait_until_gone
from tests.loopback import free_port

FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
"""Debian's folders of the programs, the newest last; elsewhere they are on the PATH."""
STANDBY = "argo_standby"
PATIENCE = 120.0
"""Seconds until a test gives up on a slow machine."""
SETTINGS = """
listen_addresses = '127.0.0.1'
shared_buffers = 16MB
max_connections = 200
wal_keep_size = 256MB
hot_standby_feedback = off
autovacuum = off
wal_receiver_status_interval = 1s
wal_sender_timeout = 5s
"""


def can_be_made() -> bool:
    """Return whether the server's programs are here."""
    return _program("initdb") is not None


@dataclass
class Server:
    """A PostgreSQL server with its own folder; it runs from `start` to `stop` or `kill`."""

    folder: Path
    port: int

    def url(self, database: str = "postgres") -> str:
        """Return the DATABASE_URL of a database on it."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=database, autocommit=True,
            connect_timeout=10,
        )  # fmt: skip

    def ask(self, statement: str, database: str = "postgres") -> object:
        """Run a statement; return the first value of its result, if it has one."""
        with self.connect(database) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def start(self) -> None:
        try:
            self._control("start", "-l", str(self.folder / "server.log"))
        except pytest.fail.Exception as error:
            error.add_note(self.log()[-3000:])
            raise
        leftovers.keep(self.pid)

    def stop(self) -> None:
        self._control("stop", "-m", "fast")

    def promote(self) -> None:
        """Make a standby the primary."""
        self._control("promote")

    @property
    def pid(self) -> int:
        """Return the id of its first process."""
        return int((self.folder / "postmaster.pid").read_text().splitlines()[0])

    def kill(self) -> None:
        """End it as a power cut would: by SIGKILL, without a checkpoint."""
        first = self.pid
        every = [first, *_children(first)]
        for pid in every:
            os.kill(pid, signal.SIGKILL)
        wait_until_gone(*every)
        with suppress(ChildProcessError):  # it is ours only if this process adopts orphans
            os.waitpid(first, 0)
        # Until who adopted it has reaped it, a server does not start: it takes it for alive.
        wait_until(lambda: not psutil.pid_exists(first), lambda: f"who reaps {first}")

    def freeze(self, name: str) -> list[int]:
        """Stop the processes of it whose titles contain `name`; return their ids."""
        found = [pid for pid in _children(self.pid) if name in title_of(pid)]
        for pid in found:
            os.kill(pid, signal.SIGSTOP)
        return found

    def titles(self) -> list[str]:
        """Return what its processes say that they do."""
        return [title_of(pid) for pid in _children(self.pid)]

    def _control(self, *arguments: str) -> None:
        run("pg_ctl", "-D", str(self.folder), "-w", "-t", str(int(PATIENCE)), *arguments)

    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")


@dataclass
class Pair:
    """A primary, and the standby that each of its commits waits for."""

    primary: Server
    standby: Server

    @property
    def url(self) -> str:
        """Return a DATABASE_URL that finds whichever of the two is the primary."""
        one, two = self.primary.port, self.standby.port
        return f"postgres://postgres@127.0.0.1:{one},127.0.0.1:{two}/postgres"

    def wait_until_synchronous(self) -> None:
        """Wait until commits wait for the standby."""
        statement = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        wait_until(lambda: self.primary.ask(statement) == 1, lambda: "a synchronous standby")

    def fail_over(self) -> None:
        """Promote the standby after the primary has died, and make a new standby in its place."""
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary
        shutil.rmtree(self.standby.folder)
        _copy(self.primary, self.standby)
        self.standby.start()
        self.wait_until_synchronous()


@contextmanager
def pair(network: str = "") -> Iterator[Pair]:
    """Make and run a primary with a synchronous standby; remove both at the end.

    If `network` is given, such as `10.0.0.0/8`, its addresses may connect, too.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        primary = Server(folder / "primary", free_port())
        standby = Server(folder / "standby", free_port())
        run("initdb", "-D", str(primary.folder), "-U", "postgres", "-A", "trust", "-E", "UTF8")
        _configure(primary, SETTINGS + f"synchronous_standby_names = '{STANDBY}'\n")
        if network:
            _configure(primary, "listen_addresses = '*'\n")
            with (primary.folder / "pg_hba.conf").open("a") as file:
                file.write(f"host all all {network} trust\n")
        stack.callback(_end, primary)
        primary.start()
        stack.callback(_end, standby)
        _copy(primary, standby)
        standby.start()
        made = Pair(primary, standby)
        made.wait_until_synchronous()
        yield made


def _copy(primary: Server, standby: Server) -> None:
    run(
        "pg_basebackup", "-D", str(standby.folder), "-R", "-X", "stream", "-c", "fast",
        "-d", f"host=127.0.0.1 port={primary.port} user=postgres application_name={STANDBY}",
    )  # fmt: skip
    _configure(standby)


def _configure(server: Server, more: str = "") -> None:
    """Add its own settings, and more, to those that it has, or that it was copied with."""
    own = f"port = {server.port}\nunix_socket_directories = '{server.folder}'\n"
    with (server.folder / "postgresql.conf").open("a") as file:
        file.write(own + more)


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that belongs to who runs the servers."""
    folder = Path(tempfile.mkdtemp(prefix="argo-cluster-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end(server: Server) -> None:
    """Stop the server at once if it runs."""
    if (server.folder / "postmaster.pid").exists():
        command = [*_as_owner(), _found("pg_ctl"), "-D", str(server.folder), "-m", "immediate"]
        subprocess.run([*command, "stop"], capture_output=True, check=False)


def run(program: str, *arguments: str) -> None:
    """Run one of the server's programs as the user who may: the server refuses to run as root."""
    command = [*_as_owner(), _found(program), *arguments]
    with tempfile.TemporaryFile("w+") as output:  # a pipe would stay open in the server
        done = subprocess.run(command, stdout=output, stderr=output, cwd="/", check=False)
        if done.returncode:
            output.seek(0)
            pytest.fail(f"{program} failed with {done.returncode}: {output.read()}")


def _as_owner() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _found(name: str) -> str:
    program = _program(name)
    assert program is not None, f"{name} is missing: install PostgreSQL's server"
    return program


def _program(name: str) -> str | None:
    if FOUND:
        return str(FOUND[-1] / name)
    return shutil.which(name)


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def title_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
