"""A whole Argo to look at: filled as the demo does, run by `manage.py up`, with an Alpine."""

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.argo.up.processes import Running
from tests.installation import Installation
from tests.receiver import counting

READY = "Argo is ready"
FILL = "from tests.browser.filling import main; main(with_hostile_text={})"


@dataclass(frozen=True)
class RunningArgo:
    """A running Argo, with what `up` printed as the first login and the ids to look for."""

    address: str
    password: str
    installation: Installation
    hostile_id: str = ""
    """The id of the signal with hostile text."""
    letter_id: str = ""
    """The id of the signal that is a dead letter and can be stored again."""

    @property
    def lost_id(self) -> str:
        """Return the id of a signal on AAPL of 2008 that lost."""
        found = "symbol = 'AAPL' AND outcome = 'loss' AND timestamp LIKE '2008-11%'"
        rows = self.installation.query(f"SELECT signal_id FROM signals WHERE {found}")
        return str(rows[0][0])


@contextmanager
def running(folder: Path, *, with_hostile_text: bool = True) -> Iterator[RunningArgo]:
    """Fill a data folder in `folder` and run Argo on it."""
    web, alpine = _free_port(), _free_port()
    settings = {
        "ARGO_WEB_PORT": str(web), "ALPINE_API_KEY": "key", "REPORT_TIME": "off",
        "ALPINE_ENDPOINT": f"http://127.0.0.1:{alpine}/api/signals",
    }  # fmt: skip
    argo = Installation(folder / "argo", settings)
    with counting(alpine):
        filled = argo.manage(
            "shell", "--verbosity", "0", "--command", FILL.format(with_hostile_text)
        )
        assert filled.returncode == 0, filled.stderr
        ids = json.loads(filled.stdout)
        with _up(argo) as output:
            password = re.findall(r"Password: (\S+)", output.text)[0]
            yield RunningArgo(f"http://127.0.0.1:{web}", password, argo, **ids)


@contextmanager
def _up(argo: Installation) -> Iterator[Running]:
    process = argo.start("manage.py", "up", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = Running(process)
    try:
        output.wait_for(READY)
        yield output
        output.signal(signal.SIGTERM)
        output.end()
    finally:
        output.kill_all()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
