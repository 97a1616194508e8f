"""Fuzzes for as long as you like: `python -m tests.fuzz --seconds 600 [--seed N] [--scale 10]`.

Each round tries other examples, from the next seed; the first failure ends it. To see it again, run
`FUZZ_SEED=N python -m pytest -n0 tests/fuzz` with the seed of the round.
"""

import argparse
import os
import subprocess
import sys
import time

from tests.fuzz.rounds import SCALE, SEED
from tests.installation import ROOT


def main() -> int:
    """Run rounds; return the exit code of the last one."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="begin no round after these")
    parser.add_argument("--seed", type=int, default=1, help="of the first round (1)")
    parser.add_argument("--scale", type=float, default=1, help="times the examples of CI (1)")
    parser.add_argument("--only", default="", help="a file of tests/fuzz, such as test_alerts.py")
    options = parser.parse_args()
    end, seed, code = time.monotonic() + options.seconds, options.seed, 0
    while code == 0 and time.monotonic() < end:
        print(f"Seed {seed}", flush=True)
        code = _round(seed, options.scale, options.only)
        seed += 1
    return code


def _round(seed: int, scale: float, only: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", f"tests/fuzz/{only}"]
    environment = {**os.environ, SEED: str(seed), SCALE: str(scale)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
