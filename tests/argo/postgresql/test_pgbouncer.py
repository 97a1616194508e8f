"""Argo behind a pgbouncer in transaction mode, which lends sessions by the transaction.

Between two transactions another process has the session: whatever Argo leaves in it is lost, or
found by others.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from signals.journal import Journal
from signals.ledger.records import encode
from tests.databases import Spares
from tests.installation import Installation
from tests.postgres_server import pgbouncer
from tests.samples import signals
from tests.services import POSTGRESQL
from tests.signals.ledger.flush.helpers import NOW

pytestmark = [pytest.mark.slow, pytest.mark.services("postgresql")]
NODES = 3
EACH = 400

LOCKS = """
from django.db import connection
from signals.database_locks import AdvisoryLock, Kind
from signals.dialect import only_one
from signals.locks import LockedByAnother
lock, other = AdvisoryLock(Kind.REPLAY), AdvisoryLock(Kind.REPLAY)
lock.acquire()
for _ in range(5):
    connection.ensure_connection(); connection.cursor().execute("SELECT 1"); connection.close()
    lock.verify()
    try:
        other.acquire(); raise SystemExit("two have the lock")
    except LockedByAnother as error:
        assert "argo replay" in error.holder, error.holder
lock.release()
other.acquire(); other.release()
with only_one("work") as first, only_one("work") as second:
    assert (first, second) == (True, False)
with only_one("work") as again:
    assert again
"""
LEASE = """
from django.db import connection
from argo.lease import Lease
first, second = Lease("beat"), Lease("beat")
assert not connection.has_own_session()
for _ in range(5):
    assert first.hold(); connection.close()
    assert not second.hold(); connection.close()
assert first.is_held and not second.is_held
first.release()
assert second.hold() and not first.hold()
"""
TIMEOUT = """
from django.db import connection
connection.ensure_connection()
print(connection.cursor().execute("SHOW tcp_user_timeout").fetchone()[0])
"""
SEQUENCE = """
from django.db import connection
from signals.models import Signal
from signals.tasks import sequence
sequence()
assert not connection.has_own_session()
rows = Signal.objects.iterator(chunk_size=100)
seen = [next(rows)]
other = connection.copy()
other.set_autocommit(False)
other.cursor().execute("SELECT 1")  # another has the session that the first rows came from
seen += rows
other.close()
print(len({signal.pk for signal in seen}))
"""


@contextmanager
def through_pgbouncer(url: str) -> Iterator[str]:
    """Yield another address of this database, with fewer sessions than Argo has connections."""
    with pgbouncer(POSTGRESQL.host, POSTGRESQL.port, size=4) as port:
        yield url.replace(f":{POSTGRESQL.port}/", f":{port}/")


@pytest.fixture
def nodes(spares: Spares, migrated_postgresql: str, tmp_path: Path) -> Iterator[list[Installation]]:
    """Several machines on one database."""
    with spares.copy_of(migrated_postgresql) as url, through_pgbouncer(url) as through:
        own = {"DATABASE_URL": through}
        yield [Installation(tmp_path / f"node {n}", own) for n in range(NODES)]


def test_the_tables_are_made_through_it(spares: Spares, tmp_path: Path) -> None:
    with spares.empty() as url, through_pgbouncer(url) as through:
        argo = Installation(tmp_path, {"DATABASE_URL": through})
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        again = argo.manage("migrate", "--check")
        assert again.returncode == 0, again.stderr


def query(argo: Installation, sql: str) -> list[tuple[object, ...]]:
    address = argo.settings["DATABASE_URL"].replace("postgres:", "postgresql:")
    with psycopg.connect(address, autocommit=True, prepare_threshold=None) as own:
        return own.execute(sql).fetchall()


def fill(argo: Installation) -> None:
    journal: Journal = argo.journal
    journal.append([encode(signal, NOW, "python")[1] for signal in signals(EACH)])
    journal.close()


def flushed_at_once(nodes: list[Installation]) -> list[int]:
    """Let two processes of each node flush at the same time; return what each has stored."""
    command = ("manage.py", "flush_signals", "--json")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    running = [argo.start(*command, **pipes) for argo in nodes * 2]
    answers = [process.communicate(timeout=300) for process in running]
    assert [process.returncode for process in running] == [0] * len(running), answers
    return [json.loads(out)["stored"] for out, _ in answers]


def test_nodes_drain_into_one_database_and_nothing_is_lost_or_doubled(
    nodes: list[Installation],
) -> None:
    for argo in nodes:
        fill(argo)
    assert sum(flushed_at_once(nodes)) == NODES * EACH
    everything = NODES * EACH
    for table in ("signals", "signal_contexts", "deliveries", "decisions"):
        assert query(nodes[0], f"SELECT count(*) FROM {table}") == [(everything,)], table
    for argo in nodes:
        assert argo.manage("verify_signals").returncode == 0
    for argo in nodes:  # each gives indexes to its own lines
        answer = argo.manage("shell", "-c", SEQUENCE)
        assert answer.stdout.split()[-1] == str(everything), answer.stderr
    assert query(nodes[0], "SELECT sum(count) FROM sequence_runs") == [(everything,)]


def test_locks_hold_while_sessions_change_hands(nodes: list[Installation]) -> None:
    answer = nodes[0].manage("shell", "-c", LOCKS)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    left = "SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid "
    left += "WHERE locktype = 'advisory' AND datname = current_database()"
    assert query(nodes[0], left) == [(0,)]


def test_a_lease_is_held_by_one_while_sessions_change_hands(nodes: list[Installation]) -> None:
    answer = nodes[0].manage("shell", "-c", LEASE)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_only_a_session_of_its_own_is_told_to_end_with_a_lost_machine(
    spares: Spares, tmp_path: Path
) -> None:
    with spares.empty() as url, through_pgbouncer(url) as through:
        for address, timeout in ((through, "0"), (url, "15000")):
            argo = Installation(tmp_path, {"DATABASE_URL": address})
            answer = argo.manage("shell", "-c", TIMEOUT)
            assert answer.stdout.split()[-1:] == [timeout], answer.stdout + answer.stderr


def test_an_export_has_every_signal(nodes: list[Installation], tmp_path: Path) -> None:
    fill(nodes[0])
    nodes[0].manage("flush_signals").check_returncode()
    path = tmp_path / "signals.csv"
    nodes[0].manage("export_signals", str(path)).check_returncode()
    assert len(path.read_text().splitlines()) == EACH + 1
