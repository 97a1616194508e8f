"""Runs Argo on every other supported Python of this machine.

`python -m tests.pythons` finds them on PATH (python3.12) and under ~/.pyenv/versions. For each it
makes a fresh virtual environment outside the tree, installs requirements.txt and runs
`tests.smoke`. It prints what each took; exit code 1 says that one failed.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from manage import OLDEST, TOO_NEW
from tests.installation import ROOT

Version = tuple[int, int]
CAN_MAKE_VENVS = "import ensurepip, sys, venv; print(*sys.version_info[:2])"
PYENV = Path.home() / ".pyenv" / "versions"
PATIENCE = 600.0
"""Seconds for one command."""


def supported() -> list[Version]:
    """Return the minor versions that Argo supports, oldest first."""
    return [(OLDEST[0], minor) for minor in range(OLDEST[1], TOO_NEW[1])]


def others(pyenv: Path = PYENV) -> dict[Version, Path]:
    """Return one working interpreter for each supported version but this one's."""
    wanted = [version for version in supported() if version != sys.version_info[:2]]
    found = {version: _first_working(version, pyenv) for version in wanted}
    return {version: path for version, path in found.items() if path}


def _first_working(version: Version, pyenv: Path) -> Path | None:
    return next((path for path in _candidates(version, pyenv) if _works(path, version)), None)


def _candidates(version: Version, pyenv: Path) -> Iterator[Path]:
    name = "python{}.{}".format(*version)
    if on_path := shutil.which(name):
        yield Path(on_path)
    yield from sorted(pyenv.glob("{}.{}.*/bin/{}".format(*version, name)), reverse=True)


def _works(python: Path, version: Version) -> bool:
    """Report if it runs, has that version, and can make virtual environments.

    A program on PATH may be a shim that only says that it runs nothing.
    """
    command = [str(python), "-c", CAN_MAKE_VENVS]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.stdout.split() == [str(part) for part in version]


def smoke(python: Path) -> bool:
    """Install what Argo needs for this interpreter and run the smoke run; report if all went well.

    Prints what that took, and the output of the step that failed.
    """
    with tempfile.TemporaryDirectory(prefix="argo-python-") as folder:
        own = Path(folder, "venv", "bin", "python")
        quiet = ("--quiet", "--disable-pip-version-check")
        steps: dict[str, Sequence[str | Path]] = {
            "virtual environment": [python, "-m", "venv", own.parent.parent],
            "requirements": [own, "-m", "pip", "install", *quiet, "-r", "requirements.txt"],
            "smoke run": [own, "-m", "tests.smoke"],
        }
        return all(_run(f"{python}: {what}", command) for what, command in steps.items())


def _run(what: str, command: Sequence[str | Path]) -> bool:
    began = time.monotonic()
    try:
        ended = subprocess.run(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"{what}: FAILED, it took more than {PATIENCE:.0f} s", flush=True)
        return False
    if ended.returncode:
        print(f"{what}: FAILED with exit code {ended.returncode}\n{ended.stdout}", flush=True)
        return False
    print(f"{what}: {time.monotonic() - began:.0f} s", flush=True)
    return True


def main() -> int:
    """Try every other Python at the same time; return the exit code."""
    found = others()
    for version in supported():
        if version != sys.version_info[:2] and version not in found:
            print("No working python{}.{} found: not tried.".format(*version), flush=True)
    with ThreadPoolExecutor(max_workers=max(1, len(found))) as pool:
        went_well = list(pool.map(smoke, found.values()))
    return 0 if all(went_well) else 1


if __name__ == "__main__":
    raise SystemExit(main())
