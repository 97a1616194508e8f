"""Clocks that differ: a node's processes see the time of the system plus or minus some minutes."""

from pathlib import Path

APART = (0, 120, -120)
"""Seconds by which the nodes' clocks are wrong. Signals may be five minutes ahead of one."""
_FOLDER = Path(__file__).parent / "wrong_clock"


def environment(seconds: int) -> dict[str, str]:
    """Return what a process needs in its environment for a clock that is wrong by so much."""
    return {"PYTHONPATH": str(_FOLDER), "ARGO_TEST_CLOCK": str(seconds)} if seconds else {}
