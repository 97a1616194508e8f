"""The doctor finds why signals are not stored."""

import os
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from argo import private
from argo.doctor import stages, storing
from argo.doctor.check import Question
from argo.pool import ConnectionPool
from argo.sqlite.metrics import POOL
from signals import config
from signals.clock import utc_now
from signals.config import flusher, journal
from signals.models import Heartbeat, Signal, SignalContext
from signals.tracker import SignalTracker
from tests.argo.doctor.asking import OK, PROBLEM, SKIPPED, WARNING, answers, known, of
from tests.argo.health.test_ready import fill, small_disk
from tests.samples import a_signal
from tests.signs_of_life import alive, all_alive

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def everything_runs(db: None) -> None:
    all_alive()


def test_all_is_well(counted: None) -> None:
    SignalTracker("test").log_signal(a_signal())
    found = of(storing.questions)
    assert {name for name, each in found.items() if each.result is not OK} == set()
    assert "nothing waits" in found["flush"].sentence


def test_a_file_that_is_read_only_is_found_and_repaired(tmp_path: Path) -> None:
    SignalTracker("test").log_signal(a_signal())
    journal().path.chmod(0o444)
    found = of(storing.questions, "permissions")["permissions"]
    assert found.result is PROBLEM
    assert "signals.log cannot be written (mode 444)" in found.sentence
    assert "argo doctor --fix" in found.advice
    for repair in found.repairs:
        repair.apply()
    assert of(storing.questions, "permissions")["permissions"].result is OK
    assert journal().path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_others_can_read_is_found_and_repaired(settings: Settings) -> None:
    secret = settings.DATA_DIR / "secret.key"
    secret.write_text("secret")
    secret.chmod(0o644)
    found = of(storing.questions, "permissions")["permissions"]
    assert "secret.key can be read by others (mode 644)" in found.sentence
    found.repairs[0].apply()
    assert secret.stat().st_mode & 0o777 == 0o600


def test_whatever_others_can_read_is_found_and_repaired(settings: Settings) -> None:
    deep = settings.DATA_DIR / "alpine" / "logs"
    deep.mkdir(parents=True, mode=0o755)
    found = of(storing.questions, "permissions")["permissions"]
    assert "alpine/logs can be read by others (mode 755)" in found.sentence
    for repair in found.repairs:
        repair.apply()
    assert of(storing.questions, "permissions")["permissions"].result is OK


def test_in_a_folder_that_other_programs_use_only_secrets_are_repaired(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private, "OF_THE_SYSTEM", {str(settings.DATA_DIR)})
    settings.DATA_DIR.chmod(0o755)
    for name in ("secret.key", "theirs"):
        (settings.DATA_DIR / name).touch(mode=0o644)
    (repair,) = of(storing.questions, "permissions")["permissions"].repairs
    assert "secret.key" in repair.text


def test_a_file_of_another_user_is_found(settings: Settings) -> None:
    stray = settings.DATA_DIR / "signals.log"
    stray.touch(mode=0o600)
    try:
        os.chown(stray, 12345, -1)
    except PermissionError:
        pytest.skip("only root can give files away")
    found = of(storing.questions, "permissions")["permissions"]
    assert "signals.log belongs to user 12345" in found.sentence
    found.repairs[0].apply()
    assert of(storing.questions, "permissions")["permissions"].result is OK


def test_a_stale_flush_worker_is_found() -> None:
    Heartbeat.objects.filter(queues="flush").delete()
    alive(queues="flush", ago=61)
    found = of(storing.questions, "flush")["flush"]
    assert found.result is PROBLEM
    assert "No worker serves the queue flush on this machine" in found.sentence
    assert "Start Argo with argo up" in found.advice


def test_a_line_that_waits_for_long_is_found() -> None:
    SignalTracker("test", clock=lambda: utc_now() - timedelta(minutes=2)).accept([a_signal()])
    found = of(storing.questions, "flush")["flush"]
    assert found.result is PROBLEM
    assert "A journal line has waited for 12" in found.sentence
    assert "argo flush_signals" in found.advice


def test_a_journal_that_was_replaced_is_found() -> None:
    SignalTracker("test").log_signal(a_signal())
    journal().path.unlink()
    found = of(storing.questions, "journal files")["journal files"]
    assert found.result is PROBLEM
    assert "Put the right file back" in found.advice


def test_a_dead_letter_is_found() -> None:
    journal().append([b"garbage"])
    flusher().flush()
    found = of(storing.questions, "dead letters")["dead letters"]
    assert (found.result, found.sentence) == (PROBLEM, "1 dead letter waits for a person.")


def test_an_exhausted_pool_is_found(counted: None) -> None:
    pool = ConnectionPool(
        lambda: sqlite3.connect(":memory:"),
        size=1,
        timeout=0.02,
        metrics=POOL,
        exhausted="none is free",
    )
    lease = pool.lease()
    with pytest.raises(OperationalError, match="none is free"):
        pool.lease()
    pool.release(lease)
    pool.dispose()
    found = of(storing.questions, "pool")["pool"]
    assert found.result is PROBLEM
    assert "1 request for a connection got none in the last 30 minutes" in found.sentence
    assert "SIGNAL_POOL_SIZE" in found.advice


def test_a_full_disk_is_found(settings: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as folder:
        settings.DATA_DIR = folder
        config.journal.cache_clear()
        config.journal().append([b"{}"])
        fill(folder / "filler")
        found = answers(
            [*storing.questions(known()), Question("journal line", stages.journal_line)]
        )
        config.journal().close()
    assert found["journal"].result is PROBLEM
    assert "No space left" in found["journal"].sentence
    assert found["journal line"].result is PROBLEM
    assert "Free disk space" in found["journal line"].advice


def test_missing_migrations_are_found_and_what_needs_the_tables_is_left_out() -> None:
    recorder = MigrationRecorder(connection)
    ((app, name),) = MigrationLoader(connection).graph.leaf_nodes("sync")
    recorder.record_unapplied(app, name)
    try:
        found = of(storing.questions)
    finally:
        recorder.record_applied(app, name)
    assert found["database"].sentence == "The database lacks 1 migration."
    assert "argo migrate" in found["database"].advice
    assert "If the database was deleted" in found["database"].advice
    assert found["flush"].result is SKIPPED


@pytest.mark.parametrize(
    "line",
    [
        "{at} ERROR signals.ledger.flush: Dead \x1b[31mletter\tprocess=flush\n    | more\n",
        '{{"timestamp":"{at}","level":"error","event":"Dead \\u001b[31mletter"}}\n',
    ],
)
def test_errors_in_the_log_are_shown_and_cannot_command_the_terminal(
    settings: Settings, line: str
) -> None:
    _log(settings, "flush.log", line, minutes=1)
    _log(settings, "web.log", line.replace("ERROR", "INFO").replace("error", "info"), minutes=1)
    _log(settings, "execution.log", line, minutes=61)
    _log(settings, "sync.log", line, minutes=1)
    found = of(storing.questions, "log")["log"]
    assert found.result is WARNING
    assert "1 error in the last hour, the last: " in found.sentence
    assert r"Dead \x1b[31mletter" in found.sentence
    assert found.advice.endswith("flush.log.")


def _log(settings: Settings, name: str, line: str, *, minutes: int) -> None:
    at = utc_now() - timedelta(minutes=minutes)
    path = settings.DATA_DIR / "logs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(line.format(at=f"{at:%Y-%m-%dT%H:%M:%S}.000Z"))


def test_a_trial_leaves_no_row_no_line_and_no_file_and_skips_no_row_id(settings: Settings) -> None:
    SignalTracker("test").log_signal(a_signal())
    before = sorted(settings.DATA_DIR.iterdir()), journal().path.read_bytes()
    found = answers([Question("line", stages.journal_line), Question("insert", stages.insert)])
    assert {each.result for each in found.values()} == {OK}
    assert (Signal.objects.count(), SignalContext.objects.count()) == (1, 1)
    assert (sorted(settings.DATA_DIR.iterdir()), journal().path.read_bytes()) == before
    SignalTracker("test").log_signal(a_signal())
    first, second = Signal.objects.order_by("pk").values_list("pk", flat=True)
    assert second == first + 1


def test_a_locked_database_is_found_in_time() -> None:
    other = sqlite3.connect(connections["default"].settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        found = answers([Question("insert", stages.insert)], each=0.5)["insert"]
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert found.result is PROBLEM
    assert found.sentence == "There was no answer within 0.5 s."
    assert "a lock in the database" in found.advice
