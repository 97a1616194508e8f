"""Kills the manual's consumer, and the server, again and again while signals arrive.

Run as `python -m tests.signals.feed.kills [KILLS]`: 200 kills, in a folder of its own.
"""

import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import orjson

from tests.installation import Installation
from tests.loopback import free_port
from tests.manual.blocks import blocks, documents

SIGNALS = 20_000
"""How many arrive when it runs as a command."""
PATIENCE = 240.0
"""Seconds until the consumer must have everything."""


class Copied(NamedTuple):
    """What the consumer has, in the order in which it came."""

    signal_ids: list[str]
    cursor: str


def consumer() -> str:
    """Return the program of the manual."""
    (found,) = (b.text for b in blocks(documents()["feed"]) if b.file_name == "consumer.py")
    return found


class Race:
    """An installation whose signals the consumer copies."""

    def __init__(
        self, folder: Path, installation: Installation, signals: int, seed: int = 0
    ) -> None:
        self.folder, self.signals, self.chance = folder, signals, random.Random(seed)
        self.port = free_port()
        own = {"ARGO_WEB_PORT": str(self.port), "SIGNAL_SEGMENT_BYTES": "1000000"}
        self.argo = Installation(installation.folder, installation.settings | own)
        (folder / "consumer.py").write_text(consumer())
        self.key = self.argo.manage("api_key", "--create", "c", "--scope", "read").stdout.split()[0]
        self.copy = folder / "copy.db"

    def run(self, kills: int, server_kills: int) -> Copied:
        """Kill the consumer `kills` times and the server `server_kills` times meanwhile."""
        every = max(1, kills // (server_kills + 1))
        with ExitStack() as stack:
            self._server(stack)
            feeding = self._started("-m", "tests.signals.feed.feeder", str(self.signals))
            feeder = stack.enter_context(feeding)
            for number in range(1, kills + 1):
                self._one_life()
                if number % every == 0 and number // every <= server_kills:
                    self._kill_server(stack)
            assert feeder.wait(PATIENCE) == 0
            with self._consumer() as last:
                self._wait_for_everything()
                last.kill()
            self._end(self.server)
        return self.copied()

    def _one_life(self) -> None:
        """Let the consumer get on, and kill it at a random moment."""
        with self._consumer() as process:
            before, deadline = self._cursor(), time.monotonic() + 1
            while self._cursor() == before and time.monotonic() < deadline:
                time.sleep(0.03)
            time.sleep(self.chance.uniform(0, 0.08))
            process.send_signal(signal.SIGKILL)

    def _wait_for_everything(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._count() < self.signals:
            assert time.monotonic() < deadline, "the consumer has not got everything"
            time.sleep(0.2)

    def _count(self) -> int:
        with closing(sqlite3.connect(self.copy, timeout=30)) as store:
            return int(store.execute("SELECT count(*) FROM events").fetchone()[0])

    def copied(self) -> Copied:
        with closing(sqlite3.connect(self.copy, timeout=30)) as store:
            rows = store.execute("SELECT data FROM events ORDER BY place").fetchall()
        return Copied([orjson.loads(row[0])["signal_id"] for row in rows], self._cursor())

    def _cursor(self) -> str:
        if not self.copy.exists():
            return ""
        with closing(sqlite3.connect(self.copy, timeout=30)) as store:
            try:
                row = store.execute("SELECT text FROM cursor").fetchone()
            except sqlite3.OperationalError:  # it has not made its tables yet
                return ""
        return row[0] if row else ""

    def _consumer(self) -> "subprocess.Popen[bytes]":
        program = ["consumer.py", f"http://127.0.0.1:{self.port}", self.key, "copy.db"]
        return subprocess.Popen(
            [sys.executable, *program], cwd=self.folder, stderr=subprocess.DEVNULL
        )

    def _server(self, stack: ExitStack) -> None:
        self.server = stack.enter_context(self._started("-m", "argo.web"))
        stack.callback(self._end, self.server)

    def _kill_server(self, stack: ExitStack) -> None:
        self.server.kill()
        self.server.wait()
        self._server(stack)

    def _started(self, *arguments: str) -> "subprocess.Popen[str]":
        return self.argo.start(*arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @staticmethod
    def _end(process: "subprocess.Popen[str]") -> None:
        process.terminate()
        process.wait(30)


def stored(argo: Installation) -> list[str]:
    """Return the ids of the stored signals in the order in which they were journaled."""
    return [row[0] for row in argo.query("SELECT signal_id FROM signals ORDER BY id")]


def main(kills: int) -> None:
    """Kill as often as that; say if anything was lost or doubled."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        argo = Installation(folder / "argo")
        argo.manage("migrate", "--verbosity", "0").check_returncode()
        race = Race(folder, argo, SIGNALS, seed=random.randrange(2**32))
        copied = race.run(kills, max(2, kills // 20))
        is_right = copied.signal_ids == stored(race.argo)
        print(f"{kills} kills, {len(copied.signal_ids)} events:", "right" if is_right else "WRONG")
        sys.exit(not is_right)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
