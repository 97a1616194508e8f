"""Runs a program of Argo's to its end, in a process of its own that may be asked to stop."""

from typing import NamedTuple

from django.conf import settings

from argo.up.child import Child, Spec, describe
from signals.shutdown import stopping

KEPT_LINES = 5
LOOK_EVERY = 0.2


class Ended(NamedTuple):
    """How a program ended; `why` has its last lines, or its exit code if it printed nothing."""

    code: int
    why: str


def run_once(spec: Spec) -> Ended | None:
    """Run a program; return how it ended, or None if this process was asked to stop meanwhile."""
    lines: list[str] = []
    child = Child(spec, lines.append, settings.BASE_DIR)
    while not child.has_ended():
        if stopping.wait(LOOK_EVERY):
            child.ask_to_stop()
            child.reap()
            return None
    code = child.reap()
    return Ended(code, " ".join(lines[-KEPT_LINES:]) or describe(code))
