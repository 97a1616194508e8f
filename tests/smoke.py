"""A whole Argo for half a minute: start it, replay, post, trade on paper, verify, stop it.

`python -m tests.smoke` does this on the Python that runs it, with a data folder and a port of its
own. It needs only what requirements.txt installs, and a folder `/proc`. Exit code 1 says that a
step failed, and the log of `up` follows.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from tests.installation import Installation

PATIENCE = 120.0
"""Seconds until a step has failed."""
LOOK_EVERY = 0.1
SYMBOL, PRICE = "BTC-USD", 50_000.0
"""A market that is always open."""
SETTINGS = {
    "MARKET_DATA": "files",
    "MARKET_SYMBOLS": SYMBOL,
    "MARKET_INTERVAL": "3600",
    "MARKET_PRICE_MAX_AGE": "200000",
    "ALPINE_API_KEY": "",
    "SIGNAL_BATCH_TIMEOUT": "1",
}
REPLAY = "replay --symbols AAPL --from 2008-01-01 --to 2008-12-31 --execute --json"


class StepFailed(Exception):
    """Argo did not do what a step expects of it."""


class Argo:
    """A running Argo, used through its commands and its API."""

    def __init__(self, installation: Installation, url: str) -> None:
        self._installation, self._url = installation, url
        self._key = ""

    def make_key(self) -> None:
        """Make the key that the calls of the API send."""
        self._key = self.manage(
            "api_key --create smoke --scope read --scope write --scope trade"
        ).split()[0]

    def manage(self, line: str, **settings: str) -> str:
        """Run `manage.py` with these arguments; return its output."""
        own = Installation(self._installation.folder, self._installation.settings | settings)
        ended = own.manage(*line.split())
        if ended.returncode:
            raise StepFailed(
                f"{line} ended with exit code {ended.returncode}:\n{ended.stdout}{ended.stderr}"
            )
        return ended.stdout

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        """Call the API."""
        headers = {"X-API-Key": self._key}
        url = f"{self._url}/api/{path}"
        return requests.request(method, url, json=body, headers=headers, timeout=PATIENCE)

    def items(self, path: str, **fields: object) -> list[dict[str, Any]]:
        """Return those of a list of the API whose fields have these values."""
        answer = self.call("GET", path)
        answer.raise_for_status()
        return [item for item in answer.json()["items"] if fields.items() <= item.items()]


def main() -> int:
    """Run every step; return the exit code."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="argo-smoke-") as folder:
        log = Path(folder, "up.log")
        try:
            _run(Path(folder), log)
        except (StepFailed, requests.RequestException) as error:
            print(f"FAILED: {error}\n--- the log of `up`:\n{log.read_text()}", flush=True)
            return 1
    print(f"Python {sys.version.split()[0]}: all well in {time.monotonic() - began:.0f} s")
    return 0


def _run(folder: Path, log: Path) -> None:
    port = _free_port()
    _write_bars(folder / "bars")
    settings = {"ARGO_WEB_PORT": str(port), "MARKET_FOLDER": str(folder / "bars")} | SETTINGS
    installation = Installation(folder / "data", settings)
    with _up(installation, log) as process:
        _wait_until(lambda: "Argo is ready" in log.read_text() or process.poll() is not None)
        _check(process.poll() is None, "`up` ended before it was ready")
        _use(Argo(installation, f"http://127.0.0.1:{port}"))
        process.send_signal(signal.SIGINT)
        _wait_until(lambda: process.poll() is not None)
        _check(process.returncode == 0, f"`up` ended with exit code {process.returncode}")
        left = processes_of(installation.folder)
        _check(not left, f"`up` has left processes behind: {left}")


def _use(argo: Argo) -> None:
    argo.make_key()
    replayed = json.loads(argo.manage(REPLAY, MARKET_DATA="sample", MARKET_SYMBOLS="AAPL"))
    _check(replayed["stored"] > 0, f"the replay has stored nothing: {replayed}")
    _check(argo.items("execution/fills") != [], f"the replay has traded nothing: {replayed}")
    signal_id = _post(argo)
    _wait_until(lambda: argo.call("GET", f"signals/{signal_id}").status_code == 200)
    _trade(argo, signal_id)
    argo.manage("verify_signals")


def _post(argo: Argo) -> str:
    answer = argo.call("POST", "signals", a_signal())
    _check(answer.status_code == 202, f"the signal was answered {answer.status_code}")
    signal_id: str = answer.json()["signal_id"]
    return signal_id


def _trade(argo: Argo, signal_id: str) -> None:
    """Ask for the signal; wait until the paper broker has its order."""
    asked = argo.call("POST", f"execution/signals/{signal_id}/execute")
    _check(asked.status_code in (200, 202), f"no decision: {asked.status_code} {asked.text}")
    _check(asked.json()["status"] != "skipped", f"it was not traded: {asked.text}")
    _wait_until(
        lambda: (
            argo.items("execution/orders", signal_id=signal_id, leg="entry", state="accepted") != []
        )
    )


def a_signal() -> dict[str, Any]:
    """Return a signal of now, at the price of now."""
    return {
        "symbol": SYMBOL,
        "action": "BUY",
        "entry_price": PRICE,
        "target_price": PRICE * 1.2,
        "stop_price": PRICE * 0.9,
        "confidence": 90,
        "strategy": "smoke",
        "asset_type": "crypto",
        "timestamp": datetime.now(UTC).isoformat(),
    }


def _write_bars(folder: Path) -> None:
    """Write one bar a day, up to yesterday's."""
    folder.mkdir()
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=number) for number in range(300, 0, -1)]
    lines = "".join(f"{day},{PRICE},{PRICE * 1.01},{PRICE * 0.99},{PRICE},1000\n" for day in days)
    (folder / f"{SYMBOL}.csv").write_text(f"Date,Open,High,Low,Close,Volume\n{lines}")


@contextmanager
def _up(installation: Installation, log: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start `manage.py up`; nothing of it outlives the block."""
    with log.open("w") as output:
        process = installation.start(
            "manage.py", "up", stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pid in processes_of(installation.folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def processes_of(folder: Path) -> list[int]:
    """Return the process ids of all processes whose ARGO_DATA_DIR is `folder`, by Linux's /proc."""
    wanted = f"ARGO_DATA_DIR={folder}".encode()
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            if wanted in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        _check(time.monotonic() < deadline, f"nothing happened within {PATIENCE:.0f} s")
        time.sleep(LOOK_EVERY)


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise StepFailed(what)


if __name__ == "__main__":
    raise SystemExit(main())
