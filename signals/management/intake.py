"""Counts the results of many signals, for the commands that store them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from argo.errors import ArgoError
from signals.management.command import ArgoCommand
from signals.tracker import Logged

BATCH_SIZE = 1000
T = TypeVar("T")


@dataclass
class IntakeReport:
    """The ids of the stored signals, how many of them were stored before, and the refusals.

    A refusal is the number of the line or row, and the reason.
    """

    signal_ids: list[str] = field(default_factory=list)
    already_there: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)

    def add(self, numbers: Sequence[int], results: Sequence[Logged | ArgoError]) -> None:
        """Count these results; `numbers` are their lines or rows."""
        for number, result in zip(numbers, results, strict=True):
            if isinstance(result, ArgoError):
                self.refused.append((number, str(result)))
            else:
                self.signal_ids.append(result.receipt.signal_id)
                self.already_there += not result.new

    @property
    def stored(self) -> int:
        return len(self.signal_ids) - self.already_there

    def as_dict(self) -> dict[str, Any]:
        return {
            "stored": self.stored,
            "already_there": self.already_there,
            "refused": [{"line": number, "error": error} for number, error in self.refused],
            "signal_ids": self.signal_ids,
        }

    def as_text(self) -> str:
        lines = self.signal_ids if len(self.signal_ids) == 1 else []
        counts = f"{self.stored} stored, {self.already_there} already there"
        return "\n".join(
            [*lines, counts, *(f"line {number}: {error}" for number, error in self.refused)]
        )


class IntakeCommand(ArgoCommand):
    """A command that stores signals and reports what happened to each."""

    def report(self, options: dict[str, Any], report: IntakeReport) -> None:
        self.answer(options, report.as_dict(), report.as_text())
        if report.refused:
            self.fail(f"{len(report.refused)} refused: correct them and send them again")


def numbered_batches(numbered: Iterable[tuple[int, T]]) -> Iterator[tuple[list[int], list[T]]]:
    """Yield the items and their numbers in batches."""
    items = iter(numbered)
    while batch := list(islice(items, BATCH_SIZE)):
        yield [number for number, _ in batch], [item for _, item in batch]
