"""Plays one round."""

import random
import time

from tests.nodes import referee
from tests.nodes.faults import Fault
from tests.nodes.senders import Notes, sending
from tests.nodes.world import World

AFTERWARDS = 0.5
"""Seconds to go on sending once all is well again."""


def play(here: World, notes: Notes, fault: Fault) -> None:
    """Send signals, let something go wrong, wait until all is well, and count."""
    with sending(here, notes):
        time.sleep(random.uniform(0.2, 1.0))
        fault(here)
        here.wait_until_ready()
        here.servers.wait_until_synchronous()
        time.sleep(AFTERWARDS)
    referee.check(here, notes)
