"""The section `divergence` of a report, as JSON has it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argo.reports.divergence.comparing import Compared, Comparison, OwnSignal
from execution.analysis.divergence.causes import NEGLIGIBLE, Cause, Part, Step
from execution.analysis.divergence.reading import kind_of
from execution.types import Side
from signals.analysis.figure import figure, undefined
from signals.analysis.intervals import of_mean

Section = dict[str, Any]
WORST = 10
WORLDS = ("signal", "backtest", "account")
_COLUMNS = (
    "signal_id", "instrument", "timestamp", "action", "entry_price", "stop_price", "target_price",
)  # fmt: skip


def own_signals(table: pa.Table) -> list[OwnSignal]:
    """Return the signals of a report that were executed and whose prices and time are known."""
    executed = pc.equal(table["decision"].cast(pa.string()), "executed")
    rows = table.select(_COLUMNS).filter(executed).drop_null().to_pylist()
    return [
        OwnSignal(signal_id, symbol, time, Side(side), *prices)
        for signal_id, symbol, time, side, *prices in (row.values() for row in rows)
    ]


def divergence_section(found: Comparison) -> Section:
    """Return the mean result of each world, the mean parts between them, and the worst signals.

    Every mean is over all compared signals, so that the parts add up to the difference of the
    means.
    """
    results = {world: _results(found.rows, world) for world in WORLDS}
    return {
        "compared": len(found.rows),
        "not_compared": dict(found.others.most_common()),
        "null_because": found.problem,
        "results": {world: _mean("world_pct", values, found) for world, values in results.items()},
        "from_signal_to_backtest": _step(
            found, Step.BACKTEST, results["backtest"] - results["signal"]
        ),
        "from_backtest_to_account": _step(
            found, Step.ACCOUNT, results["account"] - results["backtest"]
        ),
        "worst": [compared_row(each) for each in _worst(found.rows)],
    }


def compared_row(found: Compared) -> Section:
    """Return one signal side by side: prices, results in percent, and the parts between."""
    own, trade, model = found.signal, found.closed.trade, found.model
    return {
        "signal_id": own.signal_id,
        "instrument": own.symbol,
        "action": own.side.value,
        "timestamp": own.time.isoformat(),
        "account": found.closed.account,
        "account_kind": kind_of(found.closed.account),
        "prices": {
            "signal": own.price,
            "decision": found.closed.decided,
            "backtest_entry": model.entry.price,
            "backtest_exit": model.exit.price,
            "account_entry": trade.entry,
            "account_exit": trade.exit,
        },
        "ended": {"backtest": model.ending.name.lower(), "account": trade.exit_reason},
        "results_pct": {world: getattr(found.divergence, world) for world in WORLDS},
        "causes": [_part(each) for each in found.divergence.parts],
    }


def _results(rows: Sequence[Compared], world: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([getattr(each.divergence, world) for each in rows], float)


def _step(found: Comparison, step: Step, difference: np.ndarray[Any, Any]) -> Section:
    """Return the mean difference between two worlds, and the mean of each part of it.

    What no cause explains is always among them, even if it is 0.
    """
    parts = {cause: np.zeros(len(found.rows)) for cause in Cause}
    for place, each in enumerate(found.rows):
        for part in each.divergence.parts:
            if part.step is step:
                parts[part.cause][place] += part.percent
    exact = np.where(np.abs(difference) > NEGLIGIBLE, difference, 0.0)
    return {
        "difference_pct": _mean("difference_pct", exact, found),
        "causes": {
            cause.value: _mean("difference_pct", values, found)
            | {"meaning": cause.meaning, "signals": int(np.count_nonzero(values))}
            for cause, values in parts.items()
            if values.any() or (step, cause) == (Step.ACCOUNT, Cause.UNEXPLAINED)
        },
    }


def _mean(name: str, values: np.ndarray[Any, Any], found: Comparison) -> Section:
    if not values.size:
        return undefined(name, 0, found.problem).as_json()
    return figure(name, float(values.mean()), values.size, interval=of_mean(values)).as_json()


def _worst(rows: Sequence[Compared]) -> list[Compared]:
    """Return the signals whose account fell furthest below their own prices, the worst first."""
    return sorted(rows, key=lambda each: each.divergence.account - each.divergence.signal)[:WORST]


def _part(part: Part) -> Section:
    return {
        "step": part.step.value,
        "cause": part.cause.value,
        "percent": part.percent,
        "note": part.note,
    }
