"""Nodes that restart one after another refuse no request, if a load balancer follows readiness."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
import requests

from tests.argo.up.balancer import Balancer, balancer, is_ready
from tests.argo.up.conftest import BROKER
from tests.argo.up.processes import PATIENCE, Running, wait_until
from tests.argo.up.test_up import make_key
from tests.databases import empty_postgresql
from tests.installation import Installation
from tests.loopback import free_port
from tests.samples import a_signal

pytestmark = [pytest.mark.slow, pytest.mark.services("postgresql", "rabbitmq")]
StartUp = Callable[[Installation], Running]
ROLES = ("--roles", "web,flush", "--small")
CLIENTS = 3
READY = r"argo +\| Argo is ready"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Installation]]:
    with empty_postgresql() as url:
        shared = {"DATABASE_URL": url, "CELERY_BROKER_URL": BROKER, "ARGO_WEB_DRAIN": "6"}
        yield [
            Installation(tmp_path / name, shared | {"ARGO_WEB_PORT": str(free_port())})
            for name in ("one", "two")
        ]


@pytest.fixture
def start_up() -> Iterator[StartUp]:
    started: list[Running] = []

    def start(argo: Installation) -> Running:
        command = ("manage.py", "up", *ROLES)
        process = argo.start(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        started.append(Running(process))
        return started[-1]

    yield start
    for running in started:
        running.kill_all()


class Client(threading.Thread):
    """Posts signals, one after the other, until it is told to stop; keeps what went wrong."""

    def __init__(self, port: int, key: str) -> None:
        super().__init__(daemon=True)
        self._url, self._key = f"http://127.0.0.1:{port}/api/signals", key
        self._stop_asked = threading.Event()
        self.accepted: set[str] = set()
        self.wrong: list[str] = []

    def run(self) -> None:
        with requests.Session() as session:
            session.headers["X-API-Key"] = self._key
            while not self._stop_asked.is_set():
                self._post(session)

    def _post(self, session: requests.Session) -> None:
        try:
            answer = session.post(self._url, json=a_signal(), timeout=PATIENCE)
        except requests.RequestException as error:
            self.wrong.append(repr(error))
            return
        if answer.status_code == 202:
            self.accepted.add(answer.json()["signal_id"])
        else:
            self.wrong.append(f"{answer.status_code} {answer.text}")

    def finish(self) -> None:
        self._stop_asked.set()
        self.join(PATIENCE)


def test_no_request_is_refused_while_two_nodes_restart_one_after_the_other(
    nodes: list[Installation], start_up: StartUp
) -> None:
    runs = [start_up(argo) for argo in nodes]
    for running in runs:
        running.wait_for(READY)
    ports = [int(argo.settings["ARGO_WEB_PORT"]) for argo in nodes]
    key = make_key(nodes[0])
    with balancer(ports) as proxy:
        clients = [Client(proxy.port, key) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for argo, port, running in zip(nodes, ports, runs, strict=True):
            wait_until(lambda: proxy.ready == set(ports))
            running.signal(signal.SIGTERM)
            wait_until(partial(is_left_out, proxy, port))
            assert running.end() == 0
            start_up(argo).wait_for(READY)
            wait_until(partial(is_ready, port))
        for client in clients:
            client.finish()
        assert [client.wrong for client in clients] == [[]] * CLIENTS
        assert proxy.refused == 0
    accepted = set().union(*(client.accepted for client in clients))
    assert len(accepted) > 20
    wait_until(lambda: _stored(nodes[0].settings["DATABASE_URL"]) == accepted)


def is_left_out(proxy: Balancer, port: int) -> bool:
    return port not in proxy.ready


def _stored(url: str) -> set[str]:
    with psycopg.connect(url.replace("postgres:", "postgresql:")) as own:
        return {row[0] for row in own.execute("SELECT signal_id FROM signals")}
