"""The demo's public record: its Alpine is the witness, and a track record is published."""

import os
import sys
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import connections

from argo.up.child import Spec, describe
from argo.up.children import INTAKE, STOP_TIMEOUT
from argo.up.demo_alpine import MANAGE, DemoAlpine, demo_alpine
from argo.up.managed_child import ManagedChild
from argo.up.messages import base_url
from signals.record.log import service

NAME = "demo"
NICENESS = 3
STRATEGY = "weighted_consensus"
Start = Callable[[Spec], ManagedChild]


def start_again_with_record(arguments: list[str]) -> None:
    """Start this program again with the settings of the demo's record.

    It replaces this process, because Argo reads its settings once. Do nothing if the settings name
    a record already, as they do the second time. Raises CannotStart.
    """
    if settings.RECORD_ORIGIN:
        return
    alpine = demo_alpine()
    own = {
        "RECORD_ORIGIN": f"{base_url().partition('://')[2]}/record",
        "RECORD_PUBLIC": "yes",
        "RECORD_STRATEGIES": STRATEGY,
        "RECORD_WITNESSES": f"{alpine.witness_key} {alpine.url}/witness",
    }
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, **own})  # noqa: S606


def begin(alpine: DemoAlpine) -> None:
    """Begin the record if it has not begun, and let Alpine watch it before it is asked to cosign.

    Raises CannotStart, and RecordRefused if the record cannot be signed.
    """
    publisher = service.publisher() if is_witnessed_by(alpine) else None
    if publisher is None:
        return
    try:
        if not publisher.opening.keys.exists:
            publisher.publish()
    finally:
        connections.close_all()
    alpine.watch(str(publisher.opening.keys.current().key))


def is_witnessed_by(alpine: DemoAlpine) -> bool:
    """Return whether the settings name this Alpine as a witness: they may name another record."""
    return any(alpine.url in witness for witness in settings.RECORD_WITNESSES)


def until_published(start: Start, say: Callable[[str], None], alpine: DemoAlpine) -> Iterator[None]:
    """Have Alpine witness the record, publish a track record, and yield until that is done."""
    if not is_witnessed_by(alpine):
        return
    for command in (("record", "--witness-now"), ("publish_track_records",)):
        child = start(_spec(command))
        while not child.is_finished:
            yield
        if child.exit_code:
            say(f"argo {command[0]} ended {describe(child.exit_code)}; see its lines above.")
            return
    say(f"The public record, which the second Argo witnesses: {base_url()}/record/")


def _spec(command: tuple[str, ...]) -> Spec:
    full = (*MANAGE, *command)
    return Spec(NAME, full, INTAKE, STOP_TIMEOUT, once=True, niceness=NICENESS)
