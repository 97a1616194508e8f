"""Execution's tables."""

from execution.models.account import AccountChange, EquityDay, Failure, Halt, TradingAccount
from execution.models.action import CorporateAction, SeenPrices
from execution.models.counterfactual import Counterfactual
from execution.models.decision import Decision
from execution.models.order import Fill, Order
from execution.models.paper import PaperAccount, PaperChange, PaperFill, PaperOrder
from execution.models.position import Position, PositionChange

__all__ = [
    "AccountChange",
    "CorporateAction",
    "Counterfactual",
    "Decision",
    "EquityDay",
    "Failure",
    "Fill",
    "Halt",
    "Order",
    "PaperAccount",
    "PaperChange",
    "PaperFill",
    "PaperOrder",
    "Position",
    "PositionChange",
    "SeenPrices",
    "TradingAccount",
]
