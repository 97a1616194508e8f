"""`up --demo`: a replay makes signals from real bars, with a key to look at them over the API."""

import sys
from collections.abc import Callable, Iterator
from itertools import count, zip_longest
from typing import Any

from django.conf import settings
from django.db import connections

from argo.reports.measurement import find
from argo.up import admin_user
from argo.up.child import Spec, describe
from argo.up.children import INTAKE, STOP_TIMEOUT
from argo.up.demo_alpine import DemoAlpine
from argo.up.demo_record import until_published
from argo.up.managed_child import ManagedChild
from argo.up.messages import base_url, command
from execution.analysis.selection import DecidedSelection
from signals.clock import utc_now
from signals.keys import create_key
from signals.models import ApiKey
from sync.status import status

NAME = "demo"
NICENESS = 3
"""The demo's own work gives way to what a person waits for."""
CHECKS_PER_QUERY = 10
"""The supervisor checks ten times a second; every tenth time the deliveries are counted."""
SIGNAL = (
    '{"symbol": "AAPL", "action": "BUY", "entry_price": 150.5, "target_price": 158.0, '
    '"stop_price": 146.0, "confidence": 85.5, "strategy": "demo", "asset_type": "stock", '
    '"timestamp": "2025-01-15T10:30:00Z"}'
)


def replay_spec() -> Spec:
    """Return the process that replays the sample market's bars once and trades them on paper.

    A calibration of later outcomes has no place in it, so it leaves the confidence raw.
    """
    manage = (sys.executable, str(settings.BASE_DIR / "manage.py"))
    command = (*manage, "replay", "--execute", "--raw")
    return Spec(NAME, command, INTAKE, STOP_TIMEOUT, once=True, niceness=NICENESS)


def weigh_spec() -> Spec:
    """Return the process that measures once what each source is worth, when nothing else is to do.

    It takes some ten seconds of a processor.
    """
    manage = (sys.executable, str(settings.BASE_DIR / "manage.py"))
    command = (*manage, "weigh_sources", "--verbosity", "0")
    return Spec(NAME, command, INTAKE, STOP_TIMEOUT, once=True, niceness=NICENESS)


def run_demo(
    start: Callable[[Spec], ManagedChild], say: Callable[[str], None], alpine: DemoAlpine
) -> Iterator[None]:
    """Run the replay, show what there is to see, and measure what each source is worth.

    It never waits, but yields instead.
    """
    say(
        f"A second Argo plays Alpine: {alpine.url}/admin/\n"
        "Replaying real daily bars, and trading them on paper. Look at the dashboard meanwhile."
    )
    replay = start(alpine.as_alpine_of(replay_spec()))
    while not replay.is_finished:
        yield
    if replay.exit_code:
        say(f"The replay ended {describe(replay.exit_code)}; see its lines above.")
    say(what_to_look_at(make_key()))
    steps = (
        _until_all_have_arrived(say, alpine),
        _until_weighed(start, say),
        until_published(start, say, alpine),
    )
    for _ in zip_longest(*steps):
        yield


def _until_all_have_arrived(say: Callable[[str], None], alpine: DemoAlpine) -> Iterator[None]:
    """Yield until no delivery is pending; that takes long if somebody stops Alpine to try it."""
    for check in count():
        if check % CHECKS_PER_QUERY == 0 and not (found := _sync_status())["pending"]:
            break
        yield
    say(
        f"{found['delivered']} signals have arrived at {alpine.url}, {found['dead']} are "
        f"dead.\n  See for yourself  {base_url()}/admin/sync/delivery/"
    )


def _until_weighed(
    start: Callable[[Spec], ManagedChild], say: Callable[[str], None]
) -> Iterator[None]:
    """Measure what each source is worth, if that was not done before, and yield until it is done.

    A demo's signals are always the same, and so is what its sources are worth.
    """
    if find(DecidedSelection()).result is None:
        weighing = start(weigh_spec())
        while not weighing.is_finished:
            yield
        if weighing.exit_code:
            say(f"Measuring the sources ended {describe(weighing.exit_code)}; see its lines above.")
            return
    say(f"What the signals, each source and each rule are worth: {base_url()}/report/")


def _sync_status() -> dict[str, Any]:
    try:
        return status(utc_now())
    finally:
        connections.close_all()


def make_key() -> str:
    """Create an API key that may read and write; revoke the key of an earlier demo."""
    try:
        ApiKey.objects.filter(name=NAME, revoked_at=None).update(revoked_at=utc_now())
        return create_key(NAME, ["read", "write"])
    finally:
        connections.close_all()


def what_to_look_at(key: str) -> str:
    """Return addresses and commands to copy."""
    url = f"{base_url()}/api/signals"
    return (
        f"Created an API key; it is not shown again: {key}\n"
        f"  Browse  {base_url()}/  (log in as {admin_user.NAME})\n"
        f"  Signals {base_url()}/admin/signals/signal/\n"
        f"  Trades  {base_url()}/admin/execution/position/\n"
        f"  Skipped {base_url()}/admin/execution/decision/?status__exact=skipped\n"
        f"  List    curl -H 'X-API-Key: {key}' '{url}?limit=3'\n"
        f"  Post    curl -H 'X-API-Key: {key}' -d '{SIGNAL}' {url}\n"
        f"  Verify  {command('verify_signals')}"
    )
