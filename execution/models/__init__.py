"""Execution's tables."""

from execution.models.account import AccountChange, EquityDay, Failure, Halt, TradingAccount
from execution.models.counterfactual import Counterfactual
from execution.models.decision import Decision
from execution.models.order import Fill, Order
from execution.models.paper import PaperAccount, PaperFill, PaperOrder
from execution.models.position import Position

__all__ = [
    "AccountChange",
    "Counterfactual",
    "Decision",
    "EquityDay",
    "Failure",
    "Fill",
    "Halt",
    "Order",
    "PaperAccount",
    "PaperFill",
    "PaperOrder",
    "Position",
    "TradingAccount",
]
