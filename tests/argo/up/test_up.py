"""All of Argo with one command, as a person runs it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from argo.private import open_to_others
from tests.argo.up.processes import (
    PATIENCE,
    Running,
    end_for_good,
    is_alive,
    wait_until,
    wait_until_gone,
)
from tests.installation import ROOT, Installation
from tests.samples import a_signal

pytestmark = pytest.mark.slow
StartUp = Callable[..., Running]
READY = "argo      | Argo is ready"
CHILDREN = 7
"""The web server, the process of pages, beat, the workers for flush, sync and execution, and the
process that forks them."""


@pytest.fixture
def argo(tmp_path: Path, port: int) -> Installation:
    """Return a new, empty installation with a free port."""
    settings = {"ARGO_WEB_PORT": str(port), "SIGNAL_BATCH_TIMEOUT": "1"}
    return Installation(tmp_path / "new", settings)


@pytest.fixture
def start_up(argo: Installation) -> Iterator[StartUp]:
    """Return a function that starts `manage.py up`; it and its children end with the test."""
    started: list[Running] = []

    def start(*options: str) -> Running:
        process = argo.start(
            "manage.py", "up", *options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        started.append(Running(process))
        return started[-1]

    yield start
    for running in started:
        running.kill_all()


@contextmanager
def as_in_the_background_of_a_script() -> Iterator[None]:
    """Let what is started meanwhile ignore SIGINT, as shells do with `command &` in a script."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def children_of(running: Running) -> list[psutil.Process]:
    return psutil.Process(running.process.pid).children(recursive=True)


def child(running: Running, name: str) -> psutil.Process:
    (found,) = (
        process
        for process in psutil.Process(running.process.pid).children()
        if re.search(rf"argo {name}\b|\b{name}@|celery {name}\b", " ".join(process.cmdline()))
    )
    return found


def get(url: str, key: str = "") -> Any:  # noqa: ANN401  # JSON
    answer = requests.get(url, headers={"X-API-Key": key}, timeout=PATIENCE)
    answer.raise_for_status()
    return answer.json()


def post(url: str, signal: dict[str, Any], key: str) -> None:
    headers = {"X-API-Key": key}
    answer = requests.post(f"{url}/api/signals", json=signal, headers=headers, timeout=PATIENCE)
    assert answer.status_code == 202


def stored(argo: Installation) -> int:
    count: int = argo.query("SELECT count(*) FROM signals")[0][0]
    return count


def make_key(argo: Installation) -> str:
    code = "from signals.keys import create_key; print(create_key('test', ['read', 'write']))"
    made = argo.manage("shell", "--verbosity", "0", "--command", code)
    return made.stdout.split()[-1]


def test_it_starts_from_nothing_stores_a_signal_and_shuts_down_cleanly(
    argo: Installation, start_up: StartUp, port: int
) -> None:
    url = f"http://127.0.0.1:{port}"
    running = start_up()
    running.wait_for(re.escape(READY))
    started = children_of(running)

    for line in (f"Dashboard {url}/", f"API docs  {url}/api/docs"):
        assert line in running.text
    assert get(f"{url}/api/health")["status"] == "ok"
    assert re.search(r"Name: admin  Password: \S{20}", running.text)
    post(url, a_signal(), make_key(argo))
    wait_until(lambda: stored(argo) == 1)

    running.signal(signal.SIGINT)
    assert running.end() == 0
    assert running.lines[-1] == "argo      | Stopped.\n"
    assert not any(is_alive(process.pid) for process in started)
    assert_that_it_printed_little_and_kept_the_rest(argo, running)

    with as_in_the_background_of_a_script():
        again = start_up()
    again.wait_for(re.escape(READY))
    assert "Password" not in again.text
    assert stored(argo) == 1
    started = children_of(again)
    again.signal(signal.SIGTERM)
    assert again.end() == 0
    assert not any(is_alive(process.pid) for process in started)


def assert_that_it_printed_little_and_kept_the_rest(argo: Installation, running: Running) -> None:
    assert len(running.lines) <= 20, running.text
    assert "superuser" not in running.text
    assert running.text.count("Argo runs as root") == (os.geteuid() == 0)
    password = re.findall(r"Password: (\S{20})", running.text)[0]
    logs = {path.name: path.read_text() for path in (argo.folder / "logs").iterdir()}
    assert logs.keys() >= {"argo.log", "flush.log", "sync.log", "execution.log"}
    assert not any(password in text for text in logs.values())
    assert re.search(r" INFO celery\S*: flush@\S+ ready\.\tprocess=flush node=\S+",
                     logs["flush.log"])  # fmt: skip


def test_a_second_up_on_the_same_folder_names_the_first_and_exits(
    argo: Installation, start_up: StartUp
) -> None:
    running = start_up()
    running.wait_for("Data in")

    second = argo.manage("up")

    assert second.returncode == 1
    assert f"already runs on {argo.folder}, as process {running.process.pid}" in second.stderr
    assert "ARGO_DATA_DIR" in second.stderr


def test_a_taken_port_is_reported_before_anything_starts(argo: Installation, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        ended = argo.manage("up")

    assert ended.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in ended.stderr
    assert "ARGO_WEB_PORT" in ended.stderr
    assert not (argo.folder / "signals.db").exists()


def test_a_data_folder_that_cannot_be_written_is_reported(argo: Installation) -> None:
    (argo.folder / "up.lock").mkdir(parents=True)

    ended = argo.manage("up")

    assert ended.returncode == 1
    assert re.search(r"up\.lock cannot be written \(Is a directory\).*ARGO_DATA_DIR", ended.stderr)


def test_it_recovers_from_killed_children_and_a_deleted_broker(
    argo: Installation, start_up: StartUp, port: int
) -> None:
    running = start_up("--verbose")
    running.wait_for(re.escape(READY))
    key = make_key(argo)
    killed = [child(running, name) for name in ("web", "pages", "beat", "flush")]
    grandchildren = [deep for process in killed for deep in process.children()]

    shutil.rmtree(argo.folder / "broker", ignore_errors=True)  # it may be in use
    for process in killed:
        end_for_good(process)
    running.wait_for(r"(?:web|pages|beat|flush) ended by SIGKILL", times=4)

    wait_until_gone(*(process.pid for process in [*killed, *grandchildren]))
    running.wait_for(r"flush@\S+ ready", times=2)
    wait_until(lambda: answers(port))
    post(f"http://127.0.0.1:{port}", a_signal(), key)
    wait_until(lambda: stored(argo) == 1)
    running.signal(signal.SIGTERM)
    assert running.end() == 0


def test_after_sigkill_it_starts_again(argo: Installation, start_up: StartUp) -> None:
    running = start_up()
    running.wait_for(re.escape(READY))
    started = children_of(running)
    assert len(started) >= 4  # web and its worker, beat, flush

    running.signal(signal.SIGKILL)
    wait_until_gone(*(process.pid for process in started))

    again = start_up()
    again.wait_for(re.escape(READY))


def test_it_stops_when_its_output_is_closed(argo: Installation) -> None:
    process = argo.start("manage.py", "up", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    assert "Data in" in process.stdout.readline()
    wait_until(lambda: len(psutil.Process(process.pid).children()) == CHILDREN)
    started = psutil.Process(process.pid).children(recursive=True)

    process.stdout.close()

    assert process.wait(120) == 0
    wait_until_gone(*(child.pid for child in started))


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Let everything that is made be open to everybody, unless it is closed on purpose."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_the_demos_signals_arrive_at_a_second_argo_and_it_says_what_to_look_at(
    argo: Installation, start_up: StartUp, port: int
) -> None:
    argo.settings["MARKET_SYMBOLS"] = "GOOG"  # a fifth of the sample market's signals
    running = start_up("--demo")
    (arrived,) = running.wait_for(r"(\d+) signals have arrived at http://127.0.0.1:\d+, 0 are dead")
    second = Installation(argo.folder / "alpine")
    signals = "SELECT signal_id, sha256 FROM signals ORDER BY signal_id"

    assert int(arrived) == stored(argo) > 100
    assert len(running.lines) <= 60, running.text  # two screens, with room for wrapped lines
    wait_until(lambda: stored(second) == stored(argo))
    assert second.query(signals) == argo.query(signals)
    soon = argo.query(
        "SELECT count(*) FROM deliveries "
        "WHERE julianday(delivered_at) - julianday(queued_at) <= 2.0 / 86400"
    )
    assert soon[0][0] > 0.8 * int(arrived)  # woken: the schedule alone comes every five seconds
    second.manage("verify_signals").check_returncode()
    assert_that_nothing_is_open_to_others(argo)

    children = children_of(running)
    running.signal(signal.SIGTERM)
    assert running.end() == 0
    assert not any(is_alive(process.pid) for process in children)
    again = start_up("--demo")
    again.wait_for(f"{arrived} signals have arrived")  # the key of the last run is still valid
    look_at_the_demo(argo, again, port)
    look_at_its_record(again, port)
    assert_that_nothing_is_open_to_others(argo)


def assert_that_nothing_is_open_to_others(argo: Installation) -> None:
    """Look at all that it has written: databases with their WAL, logs, locks, messages, keys."""
    there = {path.name for path in argo.folder.rglob("*")}
    assert there >= {
        "signals.db", "signals.db-wal", "signals.db-shm", "signals.log", "signals.id", "secret.key",
        "demo.key", "up.lock", "beat.lock", "logs", "flush.log", "metrics", "broker", "control",
    }  # fmt: skip
    assert [*open_to_others(argo.folder)] == []


def look_at_its_metrics(port: int, key: str) -> None:
    """Each process counts for itself: the replay, the workers for flush and sync, the web server.

    The replay ran twice, with the same signals; those of the first run were continued.
    """
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.get(f"http://127.0.0.1:{port}/metrics", headers=headers, timeout=PATIENCE)
    families = text_string_to_metric_families(answer.text)
    samples = [sample for family in families for sample in family.samples]
    counts = {(sample.name, *sample.labels.values()): sample.value for sample in samples}
    stored = counts["argo_flush_lines_total", "stored"]
    assert stored > 100
    assert counts["argo_signals_accepted_total", "replay"] >= stored
    assert counts["argo_sync_attempts_total", "delivered"] == stored
    assert counts["argo_decisions_total", "replay", "executed"] > 10
    assert counts["argo_sqlite_pool_connections",] >= 5 * (CHILDREN - 1)
    assert counts["argo_broker_answers",] == 1


def look_at_the_demo(argo: Installation, running: Running, port: int) -> None:
    """Use the key and the commands that it prints."""
    key = running.wait_for(r"Created an API key; it is not shown again: (\S+)")[0]
    listed = get(f"http://127.0.0.1:{port}/api/signals?limit=3", key)
    assert len(listed["items"]) == 3
    look_at_its_metrics(port, key)
    before = stored(argo)
    paste(*running.wait_for(r"(?:List|Post) +(curl .*)"))
    wait_until(lambda: stored(argo) == before + 1)
    paste(*running.wait_for(r"Verify +(.*)"))


def look_at_its_record(running: Running, port: int) -> None:
    """The second Argo is the witness of the first, whose page of the track record says so."""
    running.wait_for("The public record, which the second Argo witnesses: http")
    page = requests.get(
        f"http://127.0.0.1:{port}/record/weighted_consensus/", timeout=PATIENCE
    ).text
    assert "Witnesses of the checkpoint: <strong>w1</strong>" in page
    assert "Not accepted" not in page


def test_the_demo_refuses_signals_that_are_meant_for_the_real_alpine(argo: Installation) -> None:
    with_key = Installation(argo.folder, argo.settings | {"ALPINE_API_KEY": "real"})
    refused = with_key.manage("up", "--demo")
    assert refused.returncode == 1
    assert "ALPINE_API_KEY is set" in refused.stderr

    argo.manage("migrate", "--verbosity", "0").check_returncode()
    argo.manage("log_signal", stdin=json.dumps(a_signal())).check_returncode()
    refused = argo.manage("up", "--demo")
    assert refused.returncode == 1
    assert f"{argo.folder} holds signals that are not the demo's" in refused.stderr
    assert argo.query("SELECT status FROM deliveries") == [("pending",)]


def paste(*commands: str) -> None:
    """Run the printed commands as a person would, in a shell without Argo's environment."""
    plain = {"PATH": os.environ["PATH"]}
    for command in commands:
        options = " --fail --silent --show-error" if command.startswith("curl") else ""
        subprocess.run(["/bin/sh", "-c", command + options], cwd=ROOT, env=plain, check=True)


def answers(port: int) -> bool:
    try:
        return bool(get(f"http://127.0.0.1:{port}/api/health"))
    except requests.RequestException:
        return False


def test_settings_reach_the_children_through_the_environment(
    argo: Installation, start_up: StartUp
) -> None:
    running = start_up()
    wait_until(lambda: len(psutil.Process(running.process.pid).children()) == CHILDREN)

    for process in psutil.Process(running.process.pid).children():
        wait_until(partial(has_folder, process, argo.folder))
        assert os.path.samefile(process.cwd(), ROOT)


def has_folder(process: psutil.Process, folder: Path) -> bool:
    """Return if the process has this data folder; its environment is empty while it begins."""
    return process.environ().get("ARGO_DATA_DIR") == str(folder)
