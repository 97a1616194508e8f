"""A machine that owns a record and publishes the track record of one strategy."""

import pytest
from pytest_django import Settings

from signals.clock import utc_now
from signals.ledger.outcomes import record_outcome
from tests.signals.record.proving.conftest import Owner
from tests.signals.record.proving.conftest import owner as owner

STRATEGY = "test"


@pytest.fixture
def publisher(owner: Owner, settings: Settings) -> Owner:
    """Return the owner, with four signals of which two won, one lost and one is open."""
    settings.RECORD_PUBLIC = True
    ids = owner.enter(1, 2, 3, 4)
    owner.cosign(0, 1)
    for signal_id, gain in zip(ids, (1.1, 1.1, 0.9), strict=False):
        close(owner, signal_id, gain)
    owner.cosign(0, 1)
    return owner


def close(owner: Owner, signal_id: str, gain: float) -> None:
    """Record the outcome of a signal at this multiple of its entry price."""
    record_outcome(
        signal_id, outcome="win" if gain > 1 else "loss", exit_price=150.5 * gain,
        who="monitor", why="a test", now=utc_now(), journal=owner.journal,
    )  # fmt: skip
    owner.flush()
    owner.sequencer.assign()
    owner.enterer.enter()
