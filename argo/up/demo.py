"""`up --demo`: real bars become signals while the system runs, with a key to look at them."""

import sys
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from django.conf import settings
from django.db import connections

from argo.up import admin_user
from argo.up.child import Spec, describe
from argo.up.children import INTAKE, PATIENCE
from argo.up.keeper import Keeper
from argo.up.receiver import Receiver
from argo.up.words import base_url, command
from signals.clock import utc_now
from signals.keys import create_key
from signals.models import ApiKey
from sync.status import status

NAME = "demo"
LOOK_EVERY = 10
"""Of the supervisor's looks, ten a second."""
SIGNAL = (
    '{"symbol": "AAPL", "action": "BUY", "entry_price": 150.5, "target_price": 158.0, '
    '"stop_price": 146.0, "confidence": 85.5, "strategy": "demo", "asset_type": "stock", '
    '"timestamp": "2025-01-15T10:30:00Z"}'
)


def replay_spec() -> Spec:
    """The replay of the sample market's bars, once, traded on paper."""
    command = (sys.executable, str(settings.BASE_DIR / "manage.py"), "replay", "--execute")
    return Spec(NAME, command, INTAKE, PATIENCE, once=True)


def story(
    start: Callable[[Spec], Keeper], say: Callable[[str], None], alpine: Receiver
) -> Iterator[None]:
    """Run the replay, then say what there is to see."""
    say(
        f"A second Argo plays Alpine: {alpine.url}/admin/\n"
        "Replaying real daily bars, and trading them on paper. Look at /admin/ meanwhile."
    )
    replay = start(alpine.reached_by(replay_spec()))
    while not replay.is_finished:
        yield
    if replay.exit_code:
        say(f"The replay ended {describe(replay.exit_code)}; its lines above say why.")
    say(what_to_look_at(make_key()))
    yield from _until_all_have_arrived(say, alpine)


def _until_all_have_arrived(say: Callable[[str], None], alpine: Receiver) -> Iterator[None]:
    """Alpine may be slow, or stopped by somebody who wants to see what happens then."""
    for look in count():
        if look % LOOK_EVERY == 0 and not (standing := _standing())["pending"]:
            break
        yield
    say(
        f"{standing['delivered']} signals have arrived at {alpine.url}, {standing['dead']} are "
        f"dead.\n  See for yourself  {base_url()}/admin/sync/delivery/"
    )


def _standing() -> dict[str, Any]:
    try:
        return status(utc_now())
    finally:
        connections.close_all()


def make_key() -> str:
    """A key to the API that may read and write; the one of an earlier demo ends."""
    try:
        ApiKey.objects.filter(name=NAME, revoked_at=None).update(revoked_at=utc_now())
        return create_key(NAME, ["read", "write"])
    finally:
        connections.close_all()


def what_to_look_at(key: str) -> str:
    """Addresses and commands to copy."""
    url = f"{base_url()}/api/signals"
    return (
        f"Made an API key, shown this once: {key}\n"
        f"  Browse  {base_url()}/admin/signals/signal/  (log in as {admin_user.NAME})\n"
        f"  Trades  {base_url()}/admin/execution/position/\n"
        f"  Skipped {base_url()}/admin/execution/decision/?status__exact=skipped\n"
        f"  List    curl -H 'X-API-Key: {key}' '{url}?limit=3'\n"
        f"  Post    curl -H 'X-API-Key: {key}' -d '{SIGNAL}' {url}\n"
        f"  Verify  {command('verify_signals')}"
    )
