"""A POST whose process is killed acts once, and its repeat says what became of it."""

import json
import subprocess

from tests.installation import Installation

ROUNDS = "3"


def test_posts_that_are_killed_and_sent_again_act_once(installation: Installation) -> None:
    """Signals, outcomes and execute, in real processes: at each point, and at random moments."""
    module = "tests.argo.idempotency.kills"
    with installation.start("-m", module, ROUNDS, stdout=subprocess.PIPE) as process:
        output, _ = process.communicate(timeout=120)
    assert (process.returncode, json.loads(output.splitlines()[-1])) == (0, [])
