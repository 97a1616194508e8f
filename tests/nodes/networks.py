"""A network of its own for each node, which can be cut: a namespace, and a cable to the host."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ALL = "10.213.0.0/16"
"""The addresses of all these networks."""


@dataclass(frozen=True)
class Network:
    """The network of the node with this number; only root can make it."""

    number: int

    @property
    def namespace(self) -> str:
        return f"argo{os.getpid()}n{self.number}"

    @property
    def host(self) -> str:
        """Return the host's address, as the node sees it."""
        return f"10.213.{self.number}.1"

    @property
    def node(self) -> str:
        """Return the node's address, as the host sees it."""
        return f"10.213.{self.number}.2"

    @property
    def _cable(self) -> str:
        return f"argo{os.getpid() % 100_000}h{self.number}"

    def make(self) -> None:
        far = f"{self._cable}n"
        _ip("netns", "add", self.namespace)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", far)
        _ip("link", "set", far, "netns", self.namespace)
        _ip("addr", "add", f"{self.host}/30", "dev", self._cable)
        _ip("-n", self.namespace, "addr", "add", f"{self.node}/30", "dev", far)
        _ip("-n", self.namespace, "link", "set", "lo", "up")
        _ip("-n", self.namespace, "link", "set", far, "up")
        self.mend()

    def cut(self) -> None:
        """Let no packet through, in silence."""
        _ip("link", "set", self._cable, "down")

    def mend(self) -> None:
        """Let packets through again."""
        _ip("link", "set", self._cable, "up")

    def remove(self) -> None:
        _ip("netns", "del", self.namespace)

    def inside(self) -> list[str]:
        """Return the beginning of a command that runs in it."""
        return ["/usr/sbin/ip", "netns", "exec", self.namespace]


@contextmanager
def networks(count: int) -> Iterator[list[Network]]:
    """Make networks; remove them at the end."""
    made: list[Network] = []
    try:
        for number in range(1, count + 1):
            network = Network(number)
            made.append(network)
            network.make()
        yield made
    finally:
        for network in made:
            network.remove()


def _ip(*arguments: str) -> None:
    subprocess.run(["/usr/sbin/ip", *arguments], check=True)
