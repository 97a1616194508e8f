"""`manage.py doctor` as a person or a monitor runs it: real processes, exit codes, repairs."""

import json
import re
import signal
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from argo.doctor.check import Check, Finding, Repair, Trouble, ok, problem, warning
from argo.doctor.examine import Examination
from argo.doctor.report import as_text
from argo.health.database import NO_ANSWER
from tests.argo.up.processes import Running, wait_until
from tests.databases import Spares
from tests.installation import Installation


def doctor(argo: Installation, *options: str) -> tuple[int, dict[str, Any]]:
    ended = argo.manage("doctor", "--json", *options)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def sentences(found: dict[str, Any], result: str) -> dict[str, str]:
    """Return the sentences of the checks that ended so, by name."""
    checks = [check for trouble in found["troubles"] for check in trouble["checks"]]
    return {check["name"]: check["sentence"] for check in checks if check["result"] == result}


def test_faults_are_found_repaired_on_request_and_gone(installation: Installation) -> None:
    (installation.folder / "signals.log").touch(mode=0o444)
    with closing(installation.connect()) as database:
        database.execute("DROP INDEX signals_symbol_time")
    before = {path.name for path in installation.folder.iterdir()}

    code, found = doctor(installation)
    assert code == 1
    assert found["status"] == "problems"
    broken = sentences(found, "problem")
    assert "signals.log cannot be written (mode 444)" in broken["permissions"]
    assert broken["indexes"] == "Missing: signals_symbol_time."
    repairs = [
        "set the mode of argo/signals.log to 600",
        "make the index signals_symbol_time again",
    ]
    assert (found["can_fix"], found["fixed"]) == (repairs, [])

    code, found = doctor(installation, "--fix")
    assert code == 1, "no worker runs"
    assert found["fixed"] == [f"Done: {text}" for text in repairs]
    assert {"permissions", "indexes"} <= set(sentences(found, "ok"))
    assert {problem["code"] for problem in found["problems"]} == {"worker.missing", "beat.missing"}

    after = {path.name for path in installation.folder.iterdir()}
    assert after - before <= {"signals.id", "broker", "signals.db-wal", "signals.db-shm"}
    assert (installation.folder / "signals.log").read_bytes() == b""
    assert installation.query("SELECT count(*) FROM signals") == [(0,)]


@pytest.mark.services("postgresql")
def test_on_postgresql_too(spares: Spares, migrated_postgresql: str, tmp_path: Path) -> None:
    with spares.copy_of(migrated_postgresql) as url:
        argo = Installation(tmp_path / "data", {"DATABASE_URL": url})
        with psycopg.connect(url.replace("postgres:", "postgresql:"), autocommit=True) as own:
            own.execute("DROP INDEX signals_time")
        _, found = doctor(argo, "--fix")
        assert found["fixed"] == ["Done: make the index signals_time again"]
        good = sentences(found, "ok")
        assert "connections of PostgreSQL in use" in good["pool"]
        assert "rolled back" in good["insert"]


def test_wrong_usage_is_exit_code_2(installation: Installation) -> None:
    assert installation.manage("doctor", "--mend").returncode == 2


def test_wrong_settings_are_found(installation: Installation) -> None:
    argo = Installation(
        installation.folder, {"SIGNAL_SOURCES": "no.such.module=1", "RISK_MIN": "1"}
    )
    code, found = doctor(argo)
    assert code == 1
    assert "no.such.module" in sentences(found, "problem")["argo.E005"]
    assert "RISK_MIN" in sentences(found, "warning")["argo.W002"]


@pytest.mark.slow
def test_it_ends_in_time_even_if_everything_hangs(tmp_path: Path) -> None:
    """Database, broker and Alpine accept connections and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        settings = {
            "DATABASE_URL": f"postgres://argo@{address}/argo",
            "CELERY_BROKER_URL": f"redis://{address}/0",
            "ALPINE_ENDPOINT": f"http://{address}/api/signals",
            "ALPINE_API_KEY": "key",
        }
        began = time.monotonic()
        code, found = doctor(Installation(tmp_path / "data", settings))
    assert time.monotonic() - began < 30
    assert code == 1
    assert [each["code"] for each in found["problems"]] == ["database.no_answer"]
    broken = sentences(found, "problem")
    assert {"database", "broker", "key"} <= set(broken)
    assert {"flush", "insert", "indexes", "queues", "waiting"} <= set(
        sentences(found, "not checked")
    )
    assert {"permissions", "journal", "journal line"} <= set(sentences(found, "ok"))


@pytest.mark.slow
def test_a_healthy_argo_is_exit_code_0_until_its_worker_hangs(installation: Installation) -> None:
    queues = "flush,sync,execution,default"
    worker = Running(
        installation.start(
            "-m", "celery", "-A", "argo", "--quiet", "worker", "-Q", queues, "-P", "threads",
            "-c", "1", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
    )  # fmt: skip
    try:
        living = "SELECT count(*) FROM heartbeats"
        wait_until(lambda: installation.query(living) == [(1,)], lambda: worker.text)
        with closing(installation.connect()) as database:
            database.execute(
                "INSERT INTO heartbeats (node, host, role, pid, queues, started_at, seen_at, "
                "old_price_of) SELECT node, host, 'beat', 1, '', started_at, seen_at, '' "
                "FROM heartbeats"
            )
        code, found = doctor(installation)
        assert (code, found["status"], found["problems"]) == (0, "ok", []), found
        assert "sync to Alpine" in sentences(found, "warning"), "a warning is no failure"
        answers = sentences(found, "ok")["queues"]
        assert all(f"{name} " in answers for name in queues.split(","))
        assert re.search(r" in the last \d+ seconds?$", sentences(found, "ok")["waiting callers"])
        leftovers = list((installation.folder / "broker").glob("*.reply.*"))
        assert leftovers == []

        worker.signal(signal.SIGSTOP)
        code, found = doctor(installation)
        worker.signal(signal.SIGCONT)
        assert code == 1
        assert (
            "No worker answers for default, execution, flush, sync"
            in (sentences(found, "problem")["queues"])
        )
    finally:
        worker.kill_all()


def test_a_person_reads_the_problems_first_and_what_to_do_last() -> None:
    repair = Repair("do it", lambda: None)
    said = NO_ANSWER.found("The database does not answer: no")
    checks = [
        Check("database", Finding.of(said)),
        Check("one", ok("is fine")),
        Check("two", warning("could be better", "Improve it.")),
        Check("three", problem("is broken", "Correct it.", repair)),
    ]
    found = Examination([said], [Trouble("A trouble", checks)], ["Done: something"])
    assert as_text(found).split("\n") == [
        "Done: something",
        "",
        "2 problems, 1 warning",
        "  database.no_answer: The database does not answer: no",
        "  three: is broken",
        "",
        "A trouble",
        "  PROBLEM  database              The database does not answer: no",
        "  ok       one                   is fine",
        "  WARNING  two                   could be better",
        "  PROBLEM  three                 is broken",
        "",
        "What to do",
        f"  1. {NO_ANSWER.advice}",
        "  2. Correct it.",
        "  3. Improve it.",
        "argo doctor --fix would:",
        "  - do it",
    ]


def test_what_comes_from_outside_forges_no_line() -> None:
    said = NO_ANSWER.found("no\x1b[31m\n  ok       database")
    checks = [Check("database", Finding.of(said)), Check("one", problem("a\nb", ""))]
    text = as_text(Examination([said], [Trouble("A trouble", checks)]))
    assert r"no\x1b[31m\n  ok       database" in text
    assert r"one: a\nb" in text
    assert "\n  ok " not in text
