"""A backup of one installation becomes another one, in another folder and another database."""

import os
from pathlib import Path

import pytest

from argo.version import version
from signals.ledger.flush import Flusher
from signals.locks import FileLock
from signals.tracker import SignalTracker
from tests.argo.backup.backups import back_up, log, restore, rows, stored
from tests.argo.backup.conftest import MakeEmpty
from tests.installation import Installation
from tests.samples import a_signal

LOGINS = """
from django.contrib.auth.models import User
from argo.logins import second_factor, sessions
from signals.clock import utc_now
from signals.keys import create_key

create_key("bob", ["read"])
bob = User.objects.create_user("bob")
second_factor.begin(bob)
second_factor.confirm(second_factor.begun(bob), utc_now())
sessions.SessionStore().create()
"""


def test_nothing_is_lost_or_doubled_on_the_way_to_another_folder_and_database(
    argo: Installation, empty: MakeEmpty, tmp_path: Path
) -> None:
    """One signal waits in the journal; API keys and second factors work on, sessions have ended."""
    argo.manage("shell", "--command", LOGINS).check_returncode()
    log(argo, 3)
    tracker = SignalTracker.with_parts(argo.journal, Flusher(argo.journal), origin="python")
    (waiting,) = (receipt.signal_id for receipt in tracker.accept([a_signal()]))
    made = back_up(argo, tmp_path / "backup")
    assert made["argo"] == version()
    other = empty()
    said = restore(other, tmp_path / "backup")
    assert (said["rows"], said["lines"], said["pending"], said["findings"]) == (4, 4, 0, [])
    assert said["flushed"] == {"stored": 1, "duplicates": 0, "changes": 0, "dead": 0}
    assert said["halted"] == []
    assert stored(other) == [*stored(argo), waiting]
    deliveries = rows(other, "SELECT count(*), count(DISTINCT id) FROM deliveries")
    assert deliveries == [(4, 4)] == rows(other, "SELECT count(*), count(*) FROM decisions")
    kept = ("api_keys", "auth_user", "second_factors", "recovery_codes", "django_migrations")
    for table in kept:
        everything = f"SELECT * FROM {table} ORDER BY id"
        assert rows(other, everything) == rows(argo, everything) != []
    sessions = "SELECT count(*) FROM django_session"
    assert (rows(argo, sessions), rows(other, sessions)) == ([(1,)], [(0,)])
    for name in ("secret.key", "signals.id"):
        assert (other.folder / name).read_bytes() == (argo.folder / name).read_bytes()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_what_was_logged_after_the_backup_is_not_in_it(
    argo: Installation, empty: MakeEmpty, tmp_path: Path
) -> None:
    """Putting the journal of today beside a database of yesterday brings everything back."""
    before = log(argo, 2)
    back_up(argo, tmp_path / "backup")
    after = log(argo, 2)
    other = empty()
    restore(other, tmp_path / "backup")
    assert stored(other) == before
    (other.folder / "signals.log").write_bytes((argo.folder / "signals.log").read_bytes())
    other.manage("flush_signals").check_returncode()
    assert stored(other) == before + after
    assert other.manage("verify_signals").returncode == 0


@pytest.mark.parametrize("kind", ["sqlite"])
def test_data_that_is_there_is_refused_with_2_and_left_alone(
    argo: Installation, backup: Path
) -> None:
    again = argo.manage("backup", str(backup))
    assert (again.returncode, "is not empty" in again.stderr) == (2, True)
    over = argo.manage("restore", str(backup))
    assert (over.returncode, "there is data already" in over.stderr) == (2, True)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_folder_on_which_argo_runs_is_refused(empty: MakeEmpty, backup: Path) -> None:
    other = empty()
    other.folder.mkdir()
    for name in ("up.lock", "beat.lock"):
        held = FileLock(other.folder / name)
        held.acquire()
        answer = other.manage("restore", str(backup))
        held.release()
        assert answer.returncode == 1
        assert f"Argo runs on {other.folder}, as process {os.getpid()}. Stop" in answer.stderr
        assert not (other.folder / "signals.db").exists()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_damaged_backup_exits_with_1_and_nothing_is_written(
    empty: MakeEmpty, backup: Path
) -> None:
    (backup / "secret.key").write_text("another")
    other = empty()
    answer = other.manage("restore", str(backup))
    assert answer.returncode == 1
    assert "secret.key has 7 bytes" in answer.stderr
    allowed = {"secret.key", "up.lock", "beat.lock", "metrics"}
    assert {path.name for path in other.folder.iterdir()} <= allowed


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_restore_that_was_killed_keeps_argo_from_running_until_it_is_finished(
    empty: MakeEmpty, backup: Path
) -> None:
    other = empty()
    killed = other.start("-c", KILLED_BEFORE_THE_HALT, str(backup))
    assert killed.wait(120) == -9
    assert stored(other) == [], "it was killed too early to show anything"
    refused = other.manage("flush_signals")
    assert refused.returncode == 1
    assert "was interrupted" in refused.stderr
    assert "argo.E010" in refused.stderr
    restore(other, backup)
    other.manage("flush_signals").check_returncode()


KILLED_BEFORE_THE_HALT = """
import os, sys
import django
django.setup()
import argo.restore
from django.core.management import call_command
argo.restore.halt_restored = lambda *_: os.kill(os.getpid(), 9)
call_command("restore", sys.argv[1])
"""


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_limit_of_the_disk_is_a_clear_error_and_leaves_no_backup(
    argo: Installation, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536));"
    code += "import manage; manage.main()"
    limited = argo.start("-c", code, "backup", str(folder), stderr=-1)
    _, error = limited.communicate(timeout=120)
    assert limited.returncode == 1, error
    assert "Free disk space" in error
    assert "Traceback" not in error
    assert not folder.exists()
