"""The counters of every process of this node, added up."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from argo.metrics.slots import living_files


class NodeCounters(Collector):
    """Reads the files that `argo.metrics.slots` gives to the processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Return each metric with the sum of all processes."""
        files = living_files(self._folder)
        found: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return found
