"""`python -m tests.power_cuts`: cut the power at each moment of many traces.

It exits with 1 if a promise was broken. Threads run as they happen to, so that a seed chooses the
same kinds of disks again, not exactly the same ones.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.installation import Installation


def main(arguments: Sequence[str] | None = None) -> int:
    """Try everything in a process with its own database; return its exit code."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="argo-power-cuts-") as folder:
        installation = Installation(Path(folder))
        installation.manage("migrate", "--verbosity", "0").check_returncode()
        seed, disks = options.seed, str(options.disks)
        first = _run(installation, "first_start", seed, disks)
        return _run(installation, "run_all", seed, str(options.acknowledgements), disks) or first


def _run(installation: Installation, module: str, *arguments: str) -> int:
    with installation.start("-m", f"tests.power_cuts.{module}", *arguments) as process:
        return process.wait()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.power_cuts", description=__doc__)
    parser.add_argument("--seed", default="1", help="any text; it chooses the random disks")
    parser.add_argument(
        "--acknowledgements", type=int, default=3000, metavar="N",
        help="how many signals the machines with several lives acknowledge in all",
    )  # fmt: skip
    parser.add_argument(
        "--disks", type=int, default=6, metavar="N", help="how many random disks each moment gets"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
