"""`python -m tests.benchmarks [NAME ...] [--quick] [--markdown]`: measure Argo and its references.

It exits with 0 even if a figure misses its target.
"""

import argparse
import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks import table
from tests.benchmarks.figures import Figure
from tests.benchmarks.machine import filesystem, heading
from tests.benchmarks.registry import NAMES
from tests.benchmarks.workspace import say
from tests.installation import Installation


def main() -> None:
    """Run the named benchmarks, or all, and print the table."""
    options = _options()
    head = heading()
    with tempfile.TemporaryDirectory(prefix="argo-benchmarks-") as folder:
        figures = list(_measured(Path(folder), options.names or NAMES, options.quick))
    print(f"\n{head}\n")
    print((table.markdown if options.markdown else table.plain)(figures))
    print(f"\n{_verdict(figures)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}")
    parser.add_argument(
        "--quick", action="store_true", help="use smaller sizes, with less exact figures"
    )
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return options


def _measured(folder: Path, names: Sequence[str], quick: bool) -> Iterator[Figure]:
    if filesystem(folder) == "tmpfs":
        say(f"{folder} is in memory, where syncs cost nothing. Set TMPDIR to a folder on disk.")
    migrated = folder / "migrated"
    Installation(migrated).manage("migrate", "--verbosity", "0").check_returncode()
    for name in names:
        say(f"{name}:")
        workspace = folder / name
        shutil.copytree(migrated, workspace)
        yield from _run(name, Installation(workspace, {"ARGO_WEB_PORT": _free_port()}), quick)
        shutil.rmtree(workspace)


def _run(name: str, installation: Installation, quick: bool) -> Iterator[Figure]:
    """Run one benchmark in its own process, with a fresh heap and a fresh data folder."""
    arguments = ["-m", "tests.benchmarks.run_one", name, *(["--quick"] if quick else [])]
    with installation.start(*arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield Figure(*json.loads(line))
    if process.returncode:
        say(f"{name} exited with {process.returncode}; its figures are incomplete.")


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


def _verdict(figures: Sequence[Figure]) -> str:
    missed = [figure for figure in figures if not figure.met]
    if not missed:
        return "All targets are met."
    return "Missed:\n" + "\n".join(
        f"- {figure.what}: {figure.ratio or figure.argo}, target {figure.target}"
        for figure in missed
    )


if __name__ == "__main__":
    main()
