"""Runs the commands of one page in bash, in a folder that looks like a clone of Argo."""

import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.installation import ROOT, Installation
from tests.manual.blocks import Block
from tests.manual.client import FORGET, SERVE, ask

MARK = "--- block"
LONGEST = 280.0
"""Seconds for a page, which takes less than ten on a machine that does nothing else."""
LOG_LINE = re.compile(
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ .*\n(?:    \| .*\n)*", re.MULTILINE
)
"""Lines of the log with their tracebacks, which the manual leaves out."""
PREAMBLE = """
exec 2>&1
set -e
shopt -s expand_aliases
argo() { .venv/bin/python manage.py "$@"; }
curl() {
  command curl --silent --fail-with-body "${@//localhost:8000/127.0.0.1:$PORT}" ||
    echo "$AT" >> refused
}
"""
"""What is shown is what a terminal shows: output and errors. A command that fails ends the page.
The file `refused` gets the line of each block in which Argo refuses a call."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
        return free


@dataclass(frozen=True)
class Warm:
    """The warm process, and how to ask it to run a command."""

    address: Path

    def forget(self) -> None:
        """End the processes that were made for the environments of a page."""
        with ask(str(self.address), FORGET, {}, "") as connection:
            connection.recv(1)

    @property
    def client(self) -> list[str]:
        """Return the program that has its arguments run, as a command of `manage.py`."""
        return [sys.executable, "-ISs", str(ROOT / "tests/manual/client.py"), str(self.address)]


@contextmanager
def warm(folder: Path) -> Iterator[Warm]:
    """Start the warm process, and end it."""
    made = Warm(folder / "socket")
    command = [sys.executable, "-m", "tests.manual.forks", str(made.address)]
    environment = Installation(folder).environment
    del environment["DJANGO_SETTINGS_MODULE"]  # each fork loads the settings itself
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE) as process:
        while not made.address.exists():
            assert process.poll() is None
        yield made
        assert process.stdin is not None
        process.stdin.close()


@dataclass(frozen=True)
class Clone:
    """A folder that looks like a clone of Argo: `.venv/bin/python manage.py` runs it warm."""

    folder: Path
    warm: Warm
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def environment(self) -> dict[str, str]:
        own = {"PORT": str(self.port), "HOME": str(self.folder)}
        return Installation(self.folder / "data", self.settings | own).environment

    def prepare(self) -> None:
        """Make the program and the files that pages take for granted."""
        program = self.folder / ".venv/bin/python"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nshift\nexec {shlex.join(self.warm.client)} "$@"\n')
        program.chmod(0o755)

    @property
    def refused(self) -> set[int]:
        """Return the lines of the blocks in which Argo refused a call over HTTP."""
        path = self.folder / "refused"
        return set(map(int, path.read_text().split())) if path.exists() else set()

    def output(self, *arguments: str) -> str:
        """Return what a command prints. Raises `CalledProcessError` if it fails."""
        return subprocess.check_output(
            [*self.warm.client, *arguments], cwd=self.folder, env=self.environment, text=True
        )

    def run(self, blocks: Sequence[Block], *, with_server: bool) -> dict[int, str]:
        """Run the blocks that are to be run, and return what each printed, by its line."""
        commands = [(block.line, command) for block in blocks if (command := _command(block))]
        script = PREAMBLE + "".join(
            f"AT={at}; echo; echo '{MARK} {at}'\n{do}\n" for at, do in commands
        )
        environment = self.environment
        with _served(self, environment) if with_server else _nothing():
            done = subprocess.run(
                ["/bin/bash", "-c", script], cwd=self.folder, env=environment, timeout=LONGEST,
                capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        outputs = _by_line(done.stdout)
        last = max(outputs, default=0)
        assert done.returncode == 0, f"line {last}: exit code {done.returncode}\n{done.stdout}"
        return outputs


def agrees(shown: str, printed: str) -> bool:
    """Return whether the output is the one shown, in which "…" stands for any text."""
    pattern = ".*?".join(map(re.escape, shown.rstrip().split("…")))
    return re.fullmatch(pattern, LOG_LINE.sub("", printed).rstrip(), re.DOTALL) is not None


def _command(block: Block) -> str | None:
    """Return what to type for a block: commands as they are, Python into Django's shell."""
    if block.word == "python" and block.file_name is None:
        return f"argo shell --verbosity 0 -c {shlex.quote(block.text)}"
    return block.text if block.word == "bash" else None


def _by_line(printed: str) -> dict[int, str]:
    parts = re.split(rf"^{MARK} (\d+)\n", printed, flags=re.MULTILINE)
    return {int(line): text for line, text in zip(parts[1::2], parts[2::2], strict=True)}


@contextmanager
def _served(clone: Clone, environment: dict[str, str]) -> Iterator[None]:
    """Serve the clone's data folder over HTTP: the first byte says that the server listens, and the
    server ends when the connection does."""
    with ask(str(clone.warm.address), SERVE, environment, str(clone.folder)) as connection:
        assert connection.recv(1) == b"\0"
        yield


@contextmanager
def _nothing() -> Iterator[None]:
    yield
