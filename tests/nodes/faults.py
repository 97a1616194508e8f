"""What goes wrong in a round. Each leaves the world as it was: with all nodes and a standby."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Sequence

from tests.clusters import Server
from tests.nodes.world import World, end_connections

Fault = Callable[[World], None]
SHORT = 0.3
"""Seconds that something lasts which the callers should not notice."""
LONG = 3.0
"""Seconds that something lasts which the callers must be told of: longer than they wait."""


def kill_node(world: World) -> None:
    """A node dies, and comes back with its disk."""
    node = random.choice(world.nodes)
    node.kill()
    node.start()


def lose_node(world: World) -> None:
    """A node dies with its disk; another machine takes its place."""
    node = random.choice(world.nodes)
    node.kill()
    shutil.rmtree(node.argo.folder)
    node.start()


def kill_primary(world: World) -> None:
    """The primary dies, its standby is promoted, and a new standby is made."""
    world.servers.primary.kill()
    world.servers.fail_over()


def kill_standby(world: World) -> None:
    """The standby dies for longer than callers wait, and comes back."""
    world.servers.standby.kill()
    time.sleep(LONG)
    world.servers.standby.start()


def restart_primary(world: World) -> None:
    """The primary dies and comes back, with commits that the standby may not have."""
    world.servers.primary.kill()
    world.servers.primary.start()


def slow_standby(world: World) -> None:
    """The standby lags, a little and then for longer than callers wait."""
    for seconds in (SHORT, LONG):
        with_frozen(world.servers.standby, seconds)


def disconnect(world: World) -> None:
    """The server ends all its connections."""
    end_connections(world.servers)


def kill_both(world: World) -> None:
    """A node loses its disk and the primary dies at the same moment."""
    node = random.choice(world.nodes)
    world.servers.primary.kill()
    node.kill()
    shutil.rmtree(node.argo.folder)
    world.servers.fail_over()
    node.start()


def cut_off(world: World) -> None:
    """The network of a node is cut for longer than callers wait."""
    network = random.choice(world.nodes).network
    assert network is not None
    network.cut()
    time.sleep(2 * LONG)
    network.mend()


def with_frozen(standby: Server, seconds: float) -> None:
    """Let the standby take nothing for so long."""
    frozen = standby.freeze("walreceiver")
    time.sleep(seconds)
    for pid in frozen:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            continue  # the primary had given it up


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        kill_node, lose_node, kill_primary, kill_standby, restart_primary, slow_standby,
        disconnect, kill_both,
    )
}  # fmt: skip
PARTITIONS: dict[str, Fault] = {"cut_off": cut_off}
"""Those for nodes whose network can be cut."""


def shuffled(names: Sequence[str], rounds: int) -> list[str]:
    """Return the faults of so many rounds: each as often as the others, in any order."""
    drawn: list[str] = []
    while len(drawn) < rounds:
        drawn += random.sample(list(names), len(names))
    return drawn[:rounds]
