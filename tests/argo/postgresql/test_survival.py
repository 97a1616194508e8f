"""What the drain and the server go through: a restart, no connection left, no space left.

Every acknowledged signal is stored exactly once in the end, by the commands that run anyway.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from signals.journal import Journal
from signals.ledger.records import encode
from tests.installation import Installation
from tests.postgres_server import PostgresServer, missing, postgres_server
from tests.samples import signals
from tests.signals.ledger.flush.helpers import NOW

pytestmark = pytest.mark.slow
MANY = 6000
TIMEOUT = 120.0
FULL = "64m"
"""The size of the disk that is filled."""
LEFT = 2 * 2**20
"""Bytes that are left on it: room for a part of the signals."""


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of a server that was stopped; its database argo has the tables."""
    with postgres_server() as server:
        server.query("CREATE DATABASE argo")
        url = {"DATABASE_URL": server.url("argo")}
        argo = Installation(tmp_path_factory.mktemp("migrated"), url)
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        server.stop()
        yield server.folder


@pytest.fixture
def server(migrated: Path) -> Iterator[PostgresServer]:
    few = ("max_connections=8", "superuser_reserved_connections=2")
    with postgres_server(*few, copied=migrated) as server:
        yield server


@pytest.fixture
def argo(server: PostgresServer, tmp_path: Path) -> Installation:
    """Return an Argo with lines that wait in its journal."""
    own = {"DATABASE_URL": server.url("argo"), "SIGNAL_FLUSH_ROWS": "200"}
    argo = Installation(tmp_path / "argo", own)
    journal: Journal = argo.journal
    journal.append([encode(signal, NOW, "python")[1] for signal in signals(MANY)])
    journal.close()
    return argo


def query(server: PostgresServer, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(f"host=127.0.0.1 port={server.port} user=postgres dbname=argo") as own:
        return own.execute(sql).fetchall()


def stored(server: PostgresServer) -> int:
    ((count,),) = query(server, "SELECT count(*) FROM signals")
    assert isinstance(count, int)
    return count


def start_flush(argo: Installation) -> "subprocess.Popen[str]":
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return argo.start("manage.py", "flush_signals", "--json", **pipes)


def wait_until_some_are_stored(server: PostgresServer) -> None:
    until = time.monotonic() + TIMEOUT
    while not stored(server):
        assert time.monotonic() < until


def check_that_all_are_there_once(argo: Installation, server: PostgresServer) -> None:
    """Run the flush as beat does, and compare every row with its line."""
    answer = argo.manage("flush_signals", "--json")
    assert answer.returncode == 0, answer.stderr
    assert stored(server) == MANY
    for table in ("signal_contexts", "deliveries", "decisions"):
        assert query(server, f"SELECT count(*) FROM {table}") == [(MANY,)], table
    assert query(server, "SELECT count(*) FROM dead_letters") == [(0,)]
    assert argo.manage("verify_signals").returncode == 0


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_restarts_in_the_middle_loses_and_doubles_nothing(
    argo: Installation, server: PostgresServer, mode: str
) -> None:
    flush = start_flush(argo)
    wait_until_some_are_stored(server)
    server.stop(mode)
    out, error = flush.communicate(timeout=TIMEOUT)
    server.start()
    assert flush.returncode == 1, out + error
    assert "Traceback" not in error
    assert 0 < stored(server) < MANY
    check_that_all_are_there_once(argo, server)


def test_without_a_free_connection_nothing_is_stored_and_the_error_says_why(
    argo: Installation, server: PostgresServer
) -> None:
    address = f"host=127.0.0.1 port={server.port} dbname=argo"
    server.query("CREATE ROLE plain LOGIN")
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(psycopg.connect(f"{address} user=plain"))
        server.query("GRANT ALL ON SCHEMA public TO plain")
        url = argo.settings["DATABASE_URL"].replace("postgres@", "plain@")
        poor = Installation(argo.folder, argo.settings | {"DATABASE_URL": url})
        answer = poor.manage("flush_signals")
        assert answer.returncode == 1
        assert "remaining connection slots are reserved" in answer.stderr
        assert "Traceback" not in answer.stderr
        assert stored(server) == 0
    check_that_all_are_there_once(argo, server)


@contextmanager
def small_disk(server: PostgresServer) -> Iterator[Path]:
    """Mount a small disk for tablespaces; only root may."""
    disk = server.folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={FULL},mode=777", "tmpfs", disk], check=False
    )
    if mounted.returncode:
        missing("this user may not mount a disk")
    try:
        (disk / "space").mkdir(mode=0o777)
        shutil.chown(disk / "space", "postgres")
        yield disk / "space"
    finally:
        server.stop("immediate")  # it has files open there
        subprocess.run(["/usr/bin/umount", disk], check=True)
        disk.rmdir()


def test_a_full_disk_stops_the_drain_which_goes_on_when_there_is_space(
    argo: Installation, server: PostgresServer
) -> None:
    with small_disk(server) as disk:
        server.query(f"CREATE TABLESPACE small LOCATION '{disk}'")
        server.query("ALTER DATABASE argo SET TABLESPACE small")
        blocks = disk / "filler"
        blocks.write_bytes(bytes(shutil.disk_usage(disk).free - LEFT))
        answer = argo.manage("flush_signals")
        assert answer.returncode == 1, answer.stdout
        assert "No space left on device" in answer.stderr
        assert "Traceback" not in answer.stderr
        left = stored(server)
        assert left < MANY
        assert left % 200 == 0, "whole batches only"
        blocks.unlink()
        check_that_all_are_there_once(argo, server)
