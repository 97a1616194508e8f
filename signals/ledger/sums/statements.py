"""The SQL that sums signals; both databases read it.

A signal counts with what it is after the last outcome change that is summed. So each statement
has signals as they are now, and then moves from one outcome to another for the changes that are
not, or not yet, part of the sums. Every statement sees one state of the database, whatever other
processes commit meanwhile.
"""

from collections.abc import Collection, Iterable

UNITS = 100_000
"""Units of the summed profit or loss in one percent. Whole numbers add up exactly in any order."""
LARGEST = 1_000_000
"""A larger profit or loss, in percent, counts as this: so that no sum overflows."""
LONGEST, LONGEST_OUTCOME = 200, 50
"""Characters of a value that tell it apart: PostgreSQL refuses to index more than 2,704 bytes."""
BIN = 5
"""Width of a bin of confidence."""
BINS = {low: f"{low:02d}-{low + BIN:02d}" for low in range(0, 100, BIN)}
"""The names of the bins by their lowest confidence. The last one includes 100."""
NO_ORIGIN = "adopted"
"""The origin of a row without context: an older system inserted it."""

DIMENSIONS: dict[str, tuple[str, ...]] = {
    "all": (),
    "symbol": ("symbol",),
    "strategy": ("strategy",),
    "action": ("action",),
    "origin": ("origin",),
    "confidence": ("confidence",),
    "symbol,strategy": ("symbol", "strategy"),
}
"""The columns of each dimension. All are divided by outcome too."""
GRAINS = {"day": "day", "month": "substr(day, 1, 7)", "all": "''"}
"""The lengths of the periods that are summed, each with its period's name."""
KEYS = ("dimension", "grain", "period", "value", "other", "outcome")
COUNTS = ("n", "measured", "profit_loss")

_BIN_OF = " ".join(
    f"WHEN s.confidence >= {low} THEN '{name}'" for low, name in reversed(BINS.items()) if low
)
VALUES = {
    "day": "substr(coalesce(i.at, s.timestamp), 1, 10)",
    "symbol": f"substr(s.symbol, 1, {LONGEST})",
    "strategy": f"substr(s.strategy, 1, {LONGEST})",
    "action": f"substr(s.action, 1, {LONGEST})",
    "origin": f"substr(coalesce(x.origin, '{NO_ORIGIN}'), 1, {LONGEST})",
    "confidence": f"CASE {_BIN_OF} ELSE '{BINS[0]}' END",
}
"""The values of a signal, as SQL about its row `s`, its context `x`, and its instant `i`."""
INSTANT = "LEFT JOIN signal_instants i ON i.id = s.id"
"""Most signals have none, because their timestamp sorts by time itself."""
NAMES = tuple(VALUES)
_CAPPED = f"CASE WHEN pct > {LARGEST} THEN {LARGEST} WHEN pct < -{LARGEST} THEN -{LARGEST}"
_PROFIT_LOSS = f"coalesce(CAST(round(({_CAPPED} ELSE pct END) * {UNITS}) AS BIGINT), 0)"


def stored(where: str, rows: str = "signals", names: Collection[str] = NAMES) -> str:
    """Return a SELECT of the signals, from the table `rows` with the alias `s`, as they are now.

    `where` may also name their instant `i`.

    `names` are the values that it has, and that `grouped` needs.
    """
    return _each(names, "s.outcome", "s.profit_loss_pct", 1, f"{rows} s", where)


def moves(where: str, sign: int = 1, names: Collection[str] = NAMES) -> str:
    """Return a SELECT that moves the signal of each outcome change `c` to its new outcome.

    With the sign -1 it moves the signal back.
    """
    changes = "outcome_changes c JOIN signals s ON s.id = c.signal_id"
    sides = (("before", -sign), ("after", sign))
    return " UNION ALL ".join(
        _each(
            names,
            f"c.\"{side}\" ->> 'outcome'",
            f"CAST(c.\"{side}\" ->> 'profit_loss_pct' AS DOUBLE PRECISION)",
            weight,
            changes,
            where,
        )
        for side, weight in sides
    )


def grouped(parts: Iterable[str], names: Collection[str] = NAMES) -> str:
    """Return a SELECT that adds these SELECTs up: one row for each outcome and set of values.

    Its columns are `names`, the outcome, and `COUNTS`.
    """
    columns = ", ".join((*names, "outcome"))
    return (
        f"SELECT {columns}, sum(weight) AS n, "  # noqa: S608
        "sum(CASE WHEN pct IS NULL THEN 0 ELSE weight END) AS measured, "
        f"sum(weight * {_PROFIT_LOSS}) AS profit_loss "
        f"FROM ({' UNION ALL '.join(parts)}) AS found GROUP BY {columns}"
    )


def by_dimension(rows: str, grains: Iterable[str] = GRAINS) -> str:
    """Return a SELECT of `KEYS` and `COUNTS` that sums `rows`, in the form that `grouped` gives."""
    return " UNION ALL ".join(
        _summed(dimension, grain, rows) for dimension in DIMENSIONS for grain in grains
    )


def _each(
    names: Collection[str], outcome: str, percent: str, weight: int, rows: str, where: str
) -> str:
    chosen = [f"{VALUES[name]} AS {name}" for name in names]
    chosen.append(f"substr(coalesce({outcome}, 'open'), 1, {LONGEST_OUTCOME}) AS outcome")
    context = "LEFT JOIN signal_contexts x ON x.id = s.id" if "origin" in names else ""
    return (
        f"SELECT {', '.join(chosen)}, {percent} AS pct, {weight} AS weight "  # noqa: S608
        f"FROM {rows} {INSTANT} {context} WHERE {where}"
    )


def _summed(dimension: str, grain: str, rows: str) -> str:
    period = GRAINS[grain]
    value, other = (*DIMENSIONS[dimension], "''", "''")[:2]
    counts = ", ".join(f"sum({name}) AS {name}" for name in COUNTS)
    groups = [each for each in (period, value, other, "outcome") if each != "''"]
    return (
        f"SELECT '{dimension}' AS dimension, '{grain}' AS grain, {period} AS period, "  # noqa: S608
        f"{value} AS value, {other} AS other, outcome, {counts} "
        f"FROM {rows} GROUP BY {', '.join(groups)}"
    )
