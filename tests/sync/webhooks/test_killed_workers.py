"""A worker that is killed during a request: its events are sent again, with the same ids."""

import os
import signal
import subprocess

import pytest

from tests.argo.up.processes import wait_until
from tests.installation import Installation
from tests.sync.alpine_server import silent
from tests.sync.installations import log
from tests.sync.webhooks.inbox import HOST, Inbox, take

pytestmark = pytest.mark.slow
SIGNALS = 8


def test_events_of_a_killed_worker_are_sent_again_with_their_ids(
    installation: Installation, inbox: Inbox
) -> None:
    argo = Installation(installation.folder, {"WEBHOOK_ALLOWED_HOSTS": HOST})
    argo.manage("webhook", "--create", "desk", "--url", inbox.url).check_returncode()
    log(argo, SIGNALS)
    inbox.always(silent)
    module = "tests.sync.webhooks.sending"
    with argo.start("-m", module, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as workers:
        assert workers.stdin is not None
        assert workers.stdout is not None
        first = int(workers.stdout.readline())
        assert inbox.came.wait(60)
        os.kill(first, signal.SIGKILL)
        assert int(workers.stdout.readline()) != first
        begun = {got.event_id for got in inbox.got}
        inbox.always(take)
        wait_until(lambda: _statuses(argo) == {"delivered": SIGNALS})
        workers.stdin.close()
    assert len(inbox.times) == SIGNALS
    assert all(inbox.times[event_id] == 2 for event_id in begun)
    assert sum(inbox.times.values()) == SIGNALS + len(begun)


def _statuses(argo: Installation) -> dict[str, int]:
    rows = argo.query("SELECT status, count(*) FROM event_deliveries GROUP BY status")
    return {str(status): int(count) for status, count in rows}
