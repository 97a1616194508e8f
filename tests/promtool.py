"""`python -m tests.promtool`: check the alerting rules and what /metrics serves with promtool.

It takes promtool from PATH, or from Debian's package, which it unpacks into a temporary folder.
Without either it says so and ends with 0: the tests check the names in any case.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.installation import ROOT, Installation

RULES = ROOT / "argo/metrics/prometheus/alerts.yml"
RULE_TESTS = ROOT / "tests/argo/metrics/alerts_test.yml"
SCRAPE = """
import sync.metrics, execution.decisions.metrics
from prometheus_client import generate_latest
from argo.metrics.views import registry
from signals import metrics
from signals.tracker import SignalTracker
from tests.samples import signals
SignalTracker("api").log_signals(signals(5))
metrics.refused("api", "invalid")
metrics.rejected(["confidence"])
sync.metrics.ATTEMPTS.labels("dead").inc()
execution.decisions.metrics.executed("paper")
print(generate_latest(registry()).decode())
"""


def main() -> None:
    """Run the three checks. Exits with 1 if one finds something."""
    with TemporaryDirectory() as folder:
        promtool = shutil.which("promtool") or _unpacked(Path(folder))
        if promtool is None:
            print("promtool is not on this machine and cannot be fetched: rules are not checked.")
            return
        _run(promtool, "check", "rules", str(RULES))
        _run(promtool, "test", "rules", str(RULE_TESTS))
        _run(promtool, "check", "metrics", stdin=_scrape(Path(folder) / "data"))


def _unpacked(folder: Path) -> str | None:
    """Return the path of promtool from Debian's package; None if there is no such package."""
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "download", "-qq", "prometheus"],
        ["sh", "-c", "dpkg -x prometheus_*.deb ."],
    ):
        if shutil.which(command[0]) is None:
            return None
        if subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode:
            return None
    return str(folder / "usr/bin/promtool")


def _scrape(folder: Path) -> str:
    """Return what a new Argo with a few signals serves at /metrics."""
    argo = Installation(folder)
    argo.manage("migrate", "--verbosity", "0").check_returncode()
    answer = argo.manage("shell", "--verbosity", "0", "--command", SCRAPE)
    answer.check_returncode()
    return str(answer.stdout)


def _run(*command: str, stdin: str = "") -> None:
    if subprocess.run(command, input=stdin, text=True, check=False).returncode:
        sys.exit(f"{' '.join(command[1:3])} failed: see above.")


if __name__ == "__main__":
    main()
