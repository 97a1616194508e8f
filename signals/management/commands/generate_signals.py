"""`manage.py generate_signals`: run one cycle of signal generation now."""

from contextlib import closing
from typing import Any

from django.core.management.base import CommandParser

from signals.generation.factory import service
from signals.generation.service import SymbolResult
from signals.management.command import ArgoCommand
from signals.management.symbols import add_symbols, symbols_of


class Command(ArgoCommand):
    help = (
        "Look at each symbol once, as the worker does by itself on a live market. Store the new "
        "signals, and say for every other symbol why it has none. Exits with 1 if a symbol "
        "failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_symbols(parser)

    def run(self, options: dict[str, Any]) -> None:
        generation = service()
        with closing(generation.tracker):
            results = generation.run_cycle(symbols_of(options["symbols"]))
        answer = {"symbols": [_as_dict(result) for result in results]}
        self.answer(options, answer, "\n".join(map(_as_text, results)))
        if failed := sum(result.error is not None for result in results):
            self.fail(f"{failed} of {len(results)} symbols failed")


def _as_dict(result: SymbolResult) -> dict[str, Any]:
    candidate = result.candidate
    return {
        "symbol": result.symbol,
        "regime": result.regime and str(result.regime),
        "candidate": candidate and candidate.as_signal(),
        "rejected": [reason._asdict() for reason in result.reasons],
        "signal_id": result.signal_id,
        "there_already": result.there_already,
        "error": result.error,
    }


def _as_text(result: SymbolResult) -> str:
    return f"{result.symbol:<8} {result.regime or '':<8} {_outcome(result)}"


def _outcome(result: SymbolResult) -> str:
    candidate = result.candidate
    if result.error is not None:
        return f"failed: {result.error}"
    if candidate is None:
        return "nothing proposed"
    proposed = f"{candidate.action} at {candidate.entry:g}, confidence {candidate.confidence:.1f}"
    if result.reasons:
        return f"{proposed}; rejected: {'; '.join(reason.text for reason in result.reasons)}"
    if result.there_already:
        return f"{proposed}; already stored: signal {result.there_already}"
    if result.signal_id is None:
        return f"{proposed}; another worker is storing it"
    return f"{proposed}: signal {result.signal_id}"
