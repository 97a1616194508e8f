"""Real processes are killed while they take alerts, and between an alert and its signal."""

import json
import subprocess

from tests.installation import Installation

ROUNDS = "20"


def test_no_alert_is_lost_or_doubled_whoever_is_killed(installation: Installation) -> None:
    with installation.start(
        "-m", "tests.signals.alerts.kills", ROUNDS, stdout=subprocess.PIPE
    ) as process:  # fmt: skip
        output, _ = process.communicate(timeout=120)
    assert (process.returncode, json.loads(output.splitlines()[-1])) == (0, [])
