"""The memory of an Argo that has nothing to do, by process, and the time until it is ready.

A page of memory that several processes share counts in each by its share (PSS), so the sum is what
the machine really gives.
"""

import re
import statistics
import sys
import time
from collections.abc import Iterator

import psutil

from tests.benchmarks import servers
from tests.benchmarks.figures import Figure, at_most
from tests.benchmarks.workspace import Workspace, say

MIB = 2**20
SETTLING = 60.0
"""Seconds after the start until each schedule has run once."""
WAYS = {"up": (), "up --small": ("--small",)}
NAME = re.compile(r"argo (\w+)|(beat)|(\w+)@")


def run(workspace: Workspace) -> Iterator[Figure]:
    """Start both ways, in turns; look when all is quiet."""
    if sys.platform != "linux":
        say("only Linux says how much memory processes share")
        return
    rounds = workspace.size(3, 1)
    looks = [{name: _look(options) for name, options in WAYS.items()} for _ in range(rounds)]
    totals = {name: statistics.median(sum(look[name][0].values()) for look in looks)
              for name in WAYS}  # fmt: skip
    for name in WAYS:
        yield at_most(f"memory of an idle {name}", totals[name], _target(name), " MiB")
        yield Figure(f"- by process, {name}", _listed(looks[-1][name][0]))
        ready = statistics.median(look[name][1] for look in looks)
        yield Figure(f"- until {name} is ready", f"{ready:.1f} s")
    ratio = totals["up --small"] / totals["up"]
    yield Figure("- up --small, to up", f"{ratio:.2f} times")


def _target(name: str) -> float:
    return {"up": 350, "up --small": 250}[name]


def _look(options: tuple[str, ...]) -> tuple[dict[str, float], float]:
    """Return the memory of each process in MiB, and the seconds until all were ready."""
    began = time.perf_counter()
    with servers.up(options=options) as process:
        ready = time.perf_counter() - began
        time.sleep(SETTLING)
        family = [process, *process.children(recursive=True)]
        return {_name(each): each.memory_full_info().pss / MIB for each in family}, ready


def _name(process: psutil.Process) -> str:
    found = NAME.search(" ".join(process.cmdline()))
    return next(filter(None, found.groups())) if found else "up"


def _listed(memory: dict[str, float]) -> str:
    return ", ".join(f"{name} {size:.0f} MiB" for name, size in memory.items())
