"""A PostgreSQL server of a test's own, which it may stop, fill up and restart; and a pgbouncer."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.services import Service, required

USER = "postgres"
TIMEOUT = 60.0
"""Seconds until a server that does not answer is a failure."""
PGBOUNCER = Path("/usr/sbin/pgbouncer")


def programs() -> Path:
    """Return the folder of the server's own programs; skip, or fail in CI, without them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        missing("PostgreSQL's server programs are not installed")
    return found[-1].parent


def missing(reason: str) -> None:
    pytest.fail(reason) if required() else pytest.skip(reason)


def as_server(*command: str | Path) -> list[str]:
    """Return the command as the servers' own user runs it: they refuse to be root."""
    words = list(map(str, command))
    if os.getuid() != 0:
        return words
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *words]


@contextmanager
def server_folder() -> Iterator[Path]:
    """Make a folder that the servers' own user owns."""
    folder = Path(tempfile.mkdtemp(prefix="argo-server-"))
    if os.getuid() == 0:
        owner = pwd.getpwnam(USER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@dataclass
class PostgresServer:
    """A cluster of its own, on a port of its own."""

    folder: Path
    port: int
    options: Sequence[str] = ()
    is_running: bool = False

    def start(self) -> None:
        options = ["-h 127.0.0.1", f"-p {self.port}", "-c unix_socket_directories=",
                   *(f"-c {option}" for option in self.options)]  # fmt: skip
        log = self.folder / "log"
        self._control("start", "-w", "-l", str(log), "-o", " ".join(options))
        self.is_running = True

    def stop(self, mode: str = "fast") -> None:
        """Stop it if it runs; `immediate` is what a crash does."""
        if self.is_running:
            self._control("stop", "-w", "-m", mode)
            self.is_running = False

    def query(self, statement: str) -> list[tuple[object, ...]]:
        address = f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"
        with psycopg.connect(address, autocommit=True) as own:
            found = own.execute(statement)
            return found.fetchall() if found.description else []

    def url(self, name: str) -> str:
        """Return the DATABASE_URL of one of its databases."""
        return f"postgres://{USER}@127.0.0.1:{self.port}/{name}"

    def _control(self, *arguments: str) -> None:
        command = as_server(programs() / "pg_ctl", "-D", self.folder / "data", *arguments)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)


@contextmanager
def postgres_server(*options: str, copied: Path | None = None) -> Iterator[PostgresServer]:
    """Run a server within the block; an option is a setting, such as max_connections=9.

    It is empty, or a copy of the stopped one in the folder `copied`.
    """
    with server_folder() as folder:
        _fill(folder, copied)
        server = PostgresServer(folder, free_port(), options)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def _fill(folder: Path, copied: Path | None) -> None:
    if copied is None:
        command = as_server(
            programs() / "initdb", "-D", folder / "data", "-U", USER, "-A", "trust", "-N",
            "-E", "UTF8", "--locale=C.UTF-8",
        )  # fmt: skip
    else:
        command = ["/bin/cp", "-a", str(copied / "data"), str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)


@contextmanager
def pgbouncer(host: str, port: int, *, size: int = 5) -> Iterator[int]:
    """Lend the server's sessions by the transaction, `size` of them; yield the port."""
    if not PGBOUNCER.exists():
        missing("pgbouncer is not installed")
    with server_folder() as folder:
        own = free_port()
        settings = {
            "listen_addr": "127.0.0.1", "listen_port": own, "unix_socket_dir": "",
            "auth_type": "trust", "auth_file": folder / "users", "pool_mode": "transaction",
            "default_pool_size": size, "max_client_conn": 200, "logfile": folder / "log",
        }  # fmt: skip
        lines = [f"* = host={host} port={port}", "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        (folder / "users").write_text(f'"{USER}" ""\n')
        (folder / "pgbouncer.ini").write_text("\n".join(["[databases]", *lines, ""]))
        command = as_server(PGBOUNCER, "-q", folder / "pgbouncer.ini")
        process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
        try:
            _wait_for(Service("pgbouncer", own))
            yield own
        finally:
            process.terminate()
            process.wait(TIMEOUT)


def _wait_for(service: Service) -> None:
    until = time.monotonic() + TIMEOUT
    while not service.answers():
        if time.monotonic() > until:
            raise TimeoutError(f"{service.name} does not answer on {service.port}")
        time.sleep(0.05)
