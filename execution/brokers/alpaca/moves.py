"""Alpaca's account activities that move money without an order.

The types are those of Alpaca's documentation of account activities and of `ActivityType` in
`alpaca-py` 0.44, which lists some that the documentation does not. Mergers, spin-offs and other
reorganisations are not among them: they change what is held.
"""

from datetime import UTC, datetime
from decimal import Decimal

from execution.brokers.alpaca.parse import Answer, moment, number, text
from execution.brokers.protocol import MoneyMove, MoveKind

TRANSFERS = ("TRANS", "CSD", "CSR", "CSW", "JNL", "JNLC", "JNLS", "ACATC", "ACATS")
"""Deposits and withdrawals of cash, journals between accounts, and transfers from other brokers."""
INCOME = (
    "DIV", "DIVCGL", "DIVCGS", "DIVNRA", "DIVROC", "DIVTXEX", "INT", "INTNRA", "INTPNL",
    "CIL", "PTC",
)  # fmt: skip
"""Dividends and interest with their taxes, cash in lieu of a share, and pass-through charges."""
FEES = ("FEE", "CFEE", "DIVFEE", "DIVFT", "DIVTW", "DIVWH", "INTTW", "PTR", "WH")
"""Fees, and taxes that are withheld."""
MOVES = {
    **dict.fromkeys(TRANSFERS, MoveKind.TRANSFER),
    **dict.fromkeys(INCOME, MoveKind.INCOME),
    **dict.fromkeys(FEES, MoveKind.FEE),
}
UNDONE = frozenset({"canceled", "rejected", "pending"})
"""The statuses of an activity that has moved no money."""
ZERO = Decimal(0)


def money_move(row: Answer) -> MoneyMove | None:
    """Return the movement; None if shares were moved. Raises `ValueError` or `KeyError`."""
    kind = MOVES[text(row, "activity_type")]
    if row.get("net_amount") is None and row.get("qty") is not None:
        return None
    amount = ZERO if row.get("status") in UNDONE else number(row, "net_amount")
    return MoneyMove(text(row, "id"), kind, amount, _time(row), _words(row))


def _time(row: Answer) -> datetime:
    """Return the time, or the beginning of the day if Alpaca gives only a date."""
    for name in ("transaction_time", "created_at"):
        if row.get(name):
            return moment(row, name)
    return datetime.fromisoformat(text(row, "date")).replace(tzinfo=UTC)


def _words(row: Answer) -> str:
    parts = (row["activity_type"], row.get("symbol"), row.get("description"))
    return " ".join(str(part) for part in parts if part)
