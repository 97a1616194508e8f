"""The words that all of execution uses: sides, legs, states, and the codes of every reason."""

from enum import StrEnum
from typing import NamedTuple

REPLAY = "replay"
"""The account of replays; no live worker touches it."""


class Side(StrEnum):
    """The side of an order; a position has the side of the order that opened it."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "Side":
        """Return the side that closes it."""
        return Side.SELL if self is Side.BUY else Side.BUY


class Leg(StrEnum):
    """The purpose of an order: open a position, end it at a price, or close it now."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    CLOSE = "close"


class OrderState(StrEnum):
    """The state of an order.

    `initialized`: our row, not sent yet. `denied`: by our own rules, never sent. `submitted`: being
    sent. `unknown`: sent, but no answer came. The broker reports the other states.
    """

    INITIALIZED = "initialized"
    DENIED = "denied"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Return whether the order is done: only a late fill can still change it."""
        return self in FINAL


FINAL = frozenset(
    {
        OrderState.DENIED,
        OrderState.FILLED,
        OrderState.CANCELED,
        OrderState.EXPIRED,
        OrderState.REJECTED,
    }
)
ON_THE_WAY = (OrderState.INITIALIZED, OrderState.SUBMITTED, OrderState.UNKNOWN)
"""The broker has not confirmed these yet, so its buying power may not include them."""
AT_BROKER = (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)
"""The broker has these and may still fill them."""


class ExitReason(StrEnum):
    """The reason why a position closed."""

    STOP = "stop"
    TARGET = "target"
    EXPIRED = "expired"  # it was open for too long
    MANUAL = "manual"  # a person asked for it
    BREACH = "breach"  # a limit of the prop firm was broken
    FLAT = "flat"  # the prop firm allows no position now
    UNPROTECTED = "unprotected"  # its stop is no longer at the broker
    ALERT = "alert"  # its sender ended it
    SETTLED = "settled"  # a person accepted the broker's figures


class DescribedCode(StrEnum):
    """A machine-readable code that carries its meaning for people in `meaning`."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> "DescribedCode":
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


class Reason(DescribedCode):
    """The code of every reason for which a signal is skipped."""

    AUTO_EXECUTE_DISABLED = "auto_execute_disabled", "AUTO_EXECUTE is off"
    BUYING_POWER = "buying_power", "not enough buying power"
    CONFIDENCE = "confidence", "the confidence is too low"
    COOLDOWN = "cooldown", "a pause after losses"
    CURRENCY = "currency", "the price is not in the account's currency"
    DAILY_LOSS = "daily_loss", "the day has lost too much"
    DISTANCE = "distance", "the price has moved too far from the entry"
    DRAWDOWN = "drawdown", "the equity is too far below its peak"
    ENDED = "ended", "the signal already has an outcome"
    FIGURES = "figures", "a figure is not a valid number"
    FLAT = "flat", "the prop firm allows no position now"
    GROUP = "group", "too many positions that move together"
    HALT = "halt", "trading is halted"
    HELD = "held", "the symbol is already held"
    LEVELS = "levels", "the stop or the target is already reached"
    MULTIPLIER = "multiplier", "one unit is not worth its price, or its worth is not known"
    OPPOSITE = "opposite", "a position on the opposite side is held"
    PACE = "pace", "too many orders in one minute"
    POSITIONS = "positions", "too many positions"
    PRICE = "price", "no fresh price"
    PROP_FIRM = "prop_firm", "a rule of the prop firm is broken"
    RULE_FAILED = "rule_failed", "a rule raised an error"
    SESSION = "session", "the market is closed"
    SIZE = "size", "the position would be too large"
    SIZING = "sizing", "no quantity can be calculated"
    STALE = "stale", "the signal is too old"
    STOP = "stop", "the stop is too far from the entry"
    SYMBOL = "symbol", "the symbol may not be traded"
    TOO_SMALL = "too_small", "the quantity is less than one step"
    TRADED_LATER = "traded_later", "the account has already traded at a later time"


class HaltCode(DescribedCode):
    """The code of every halt."""

    ANOTHER_ACCOUNT = "another_account", "the broker's account is not the one that Argo knows"
    BY_HAND = "by_hand", "a person stopped trading"
    DAILY_LOSS = "daily_loss", "the prop firm's daily loss limit is broken"
    DRAWDOWN = "drawdown", "the prop firm's drawdown limit is broken"
    MISMATCH = "mismatch", "the broker's records differ from ours"
    OVERFILL = "overfill", "the broker reported a fill that cannot be right or read"
    SCALE = "scale", "a price looks as if it came after a split that nobody reports"
    RESTORED = "restored", "Argo was restored from a backup"
    UNCLOSABLE = "unclosable", "several orders to close a position failed"


class Denial(NamedTuple):
    """The reason against a trade: a machine-readable code and a message for people."""

    code: Reason
    text: str
