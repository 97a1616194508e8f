"""The account of a backtest as text for people."""

from collections.abc import Iterator

from execution.analysis.backtest.walk import AccountResult, AccountRules

WIDTH = 12
_IN_ORDER = (
    "On the account, signals are decided in order of time, with the sizing and the limits of the "
    "settings; each order counts for the next decision."
)
_LEFT_OUT = (
    "The price at the signal is the signal's own, and its market is open. The loss limits of a "
    "prop firm, halts by people, and other trades of the account are left out."
)
_ON_ONE_CLOCK = (
    "The bars of all symbols are one clock: a trade has expired when any bar closes after its "
    "time. If a bar of its own symbol has begun by then, it is closed at that bar's close."
)
ASSUMPTIONS = (_IN_ORDER, _LEFT_OUT, _ON_ONE_CLOCK)
"""What is assumed beside the assumptions of each trade."""


def as_text(rules: AccountRules, found: AccountResult) -> str:
    """Return the assumptions, and the result as a table."""
    return "\n".join(_lines(rules, found))


def _lines(rules: AccountRules, found: AccountResult) -> Iterator[str]:
    figures = found.as_dict()
    yield "On one account"
    yield from (f"- {each}" for each in ASSUMPTIONS)
    yield _line(figures["executed"], "executed")
    yield _line(figures["denied"], "denied, for these reasons (there may be several)")
    for code, count in found.reasons.items():
        yield _line(count, f"- {code}: {code.meaning}")
    for name in ("wins", "losses", "open"):
        yield _line(figures[name], name)
    yield _line(f"{rules.deposit:.2f}", "first deposit")
    yield _line(f"{found.profit:.2f}", "profit of the closed trades, after fees")
    yield _line(f"{found.equity:.2f}", "equity at the last bar")
    yield _line(f"{found.peak:.2f}", "highest equity")


def _line(figure: object, what: str) -> str:
    return f"{figure!s:>{WIDTH}}  {what}"
