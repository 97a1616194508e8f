"""Databases as the older system made them."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from signals.ledger.hashing import Hashed, sha256_of

SEED_TABLE = (Path(__file__).parent / "signals" / "seed-table.sql").read_text()


def legacy_row(number: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return one row, whose hash matches unless `changes` alter it."""
    prices = {"entry_price": 100.5 + number, "target_price": 110.25 + number, "stop_price": 95.75}
    row: dict[str, Any] = {
        "signal_id": f"{number:016x}",
        "symbol": "AAPL",
        "action": "BUY",
        **prices,
        "confidence": 80.25,
        "strategy": "weighted_consensus",
        "asset_type": "stock",
        "data_source": "weighted_consensus",
        "timestamp": f"2012-01-{number % 28 + 1:02d}T21:00:00+00:00",
        "outcome": ("win", "loss", "expired", None)[number % 4],
        "exit_price": 110.25 + number if number % 4 == 0 else None,
        "profit_loss_pct": 9.7015 if number % 4 == 0 else None,
        "order_id": f"SIM_{number}" if number % 3 == 0 else None,
        "created_at": f"2012-01-{number % 28 + 1:02d} 21:00:01",
    }
    hashed = Hashed(*(row[name] for name in Hashed._fields))
    return row | {"sha256": sha256_of(hashed, row["signal_id"])} | changes


def legacy_rows(count: int) -> list[dict[str, Any]]:
    return [legacy_row(number) for number in range(count)]


def legacy_database(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Make a database with the seed's table and these rows."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(SEED_TABLE)
        for row in rows:
            columns, marks = ", ".join(row), ", ".join("?" * len(row))
            connection.execute(
                f"INSERT INTO signals ({columns}) VALUES ({marks})", list(row.values())
            )
        connection.commit()
