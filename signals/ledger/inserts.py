"""The statements that store signals and look up what is stored, many rows at a time."""

from collections.abc import Sequence
from typing import Any

from django.db import connections

from signals.dialect import among
from signals.inserting import insert_fresh, insert_new, insert_rows
from signals.ledger.records import CONTEXT_COLUMNS, FLOATS, SIGNAL_COLUMNS

Rows = Sequence[tuple[Any, ...]]


def insert_signals(using: str, rows: Rows) -> dict[str, int]:
    """Insert rows of `SIGNAL_COLUMNS`; return the row ids by `signal_id`.

    A signal that another process stored meanwhile has no id. Any other failure is raised.
    """
    return insert_new(using, "signals", SIGNAL_COLUMNS, rows, key="signal_id", floats=FLOATS)


def insert_fresh_signals(using: str, rows: Rows) -> dict[str, int]:
    """Insert rows like `insert_signals`, but only if all are new.

    A signal that is stored already makes it raise IntegrityError, or has no id.
    """
    return insert_fresh(using, "signals", SIGNAL_COLUMNS, rows, key="signal_id", floats=FLOATS)


def insert_contexts(using: str, rows: Rows, stored_at: str | None) -> None:
    """Insert rows of `CONTEXT_COLUMNS`, all with this `stored_at`."""
    insert_rows(using, "signal_contexts", CONTEXT_COLUMNS, rows, {"stored_at": stored_at})


def stored_hashes(using: str, signal_ids: Sequence[str]) -> dict[str, str]:
    """Return `sha256` by `signal_id`, for the signals that are stored."""
    return dict(_select_by_ids(using, "signal_id, sha256", signal_ids))


def rows_without_context(using: str, signal_ids: Sequence[str]) -> dict[str, int]:
    """Return row ids by `signal_id`, for the signals that are stored without a context."""
    lacking = "AND NOT EXISTS (SELECT 1 FROM signal_contexts c WHERE c.id = signals.id)"
    return dict(_select_by_ids(using, "signal_id, id", signal_ids, lacking))


def _select_by_ids(using: str, columns: str, signal_ids: Sequence[str], more: str = "") -> Rows:
    condition, parameter = among(using, "signal_id", signal_ids)
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM signals WHERE {condition} {more}", [parameter])  # noqa: S608
        rows: Rows = cursor.fetchall()
        return rows
