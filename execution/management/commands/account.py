"""`manage.py account`: show the base that limits are counted from, or state it with a reason."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from execution.accounts import changes
from execution.accounts.rows import account_row
from execution.context import TradingContext
from execution.factory import trading_context
from execution.management.corporate import corporate_action
from execution.models import AccountChange, TradingAccount
from execution.money import exact_text
from signals.management.command import ArgoCommand

SHOWN = 20
"""The number of latest changes that are shown."""
MOST = Decimal("1e12")
"""A larger amount is a slip of the finger."""
ACTS = ("transfer", "starting_balance", "begin_stage", "restart_count")
PRICE_ACTS = ("split", "real_price", "rename")


class Command(ArgoCommand):
    help = (
        "Show what the limits of the account are counted from, and its latest changes. With an "
        "option, state a change and why."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--transfer", metavar="AMOUNT",
            help="pay play money in, or out if it is below 0; at a broker, Argo reads transfers "
            "by itself",
        )  # fmt: skip
        parser.add_argument(
            "--starting-balance", metavar="AMOUNT",
            help="what the account or its stage began with; alone, or with --begin-stage",
        )  # fmt: skip
        parser.add_argument(
            "--begin-stage", action="store_true", help="begin a new stage of the prop firm now"
        )
        parser.add_argument(
            "--restart-count", action="store_true",
            help="count peak, day and starting balance from the present money on",
        )  # fmt: skip
        parser.add_argument(
            "--days-done", metavar="NUMBER",
            help="trading days of the stage that were done before Argo saw it",
        )  # fmt: skip
        parser.add_argument(
            "--split", metavar="NEW:OLD",
            help="with --symbol: its old shares became new ones, 4:1 or 1:10; with --date, or when "
            "its price became doubtful",
        )  # fmt: skip
        parser.add_argument(
            "--real-price", action="store_true",
            help="with --symbol: its price is in doubt, but it is real",
        )  # fmt: skip
        parser.add_argument(
            "--rename", metavar="NEW", help="with --symbol and --date: it has a new symbol"
        )
        parser.add_argument("--symbol", help="the symbol that --split and the like are about")
        parser.add_argument("--date", metavar="YYYY-MM-DD", help="the first day that counts it")
        parser.add_argument("--why", default="", help="the reason, which is kept")
        parser.add_argument("--by", default="command line", help="who changes it")

    def run(self, options: dict[str, Any]) -> None:
        asked = _asked(options)
        context = trading_context()
        if asked and asked[0] in PRICE_ACTS:
            action = corporate_action(context, options)
            self.answer(options, {"stored": str(action)}, f"Stored: {action}.")
            return
        change = _change(context, options, asked) if asked else None
        row = account_row(context, context.broker.account())
        self.answer(options, _answer(row, change), _text(row, change))


def _asked(options: dict[str, Any]) -> list[str]:
    """Return the changes that are asked for. Raises `InvalidInput` if they do not fit together."""
    asked = [name for name in (*ACTS, *PRICE_ACTS) if options[name] not in (None, False)]
    if len(asked) > 1 and asked != ["starting_balance", "begin_stage"]:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in asked)
        raise InvalidInput([FieldError("account", f"takes one of {names} at a time")])
    if options["days_done"] is not None and not {"starting_balance", "begin_stage"} & {*asked}:
        needs = "needs --starting-balance or --begin-stage"
        raise InvalidInput([FieldError("--days-done", needs)])
    return asked


def _change(context: TradingContext, options: dict[str, Any], asked: list[str]) -> AccountChange:
    said = {"by": options["by"], "why": options["why"]}
    if "transfer" in asked:
        return changes.transfer(context, _amount("--transfer", options["transfer"]), **said)
    if "restart_count" in asked:
        return changes.restart_count(context, **said)
    given, days = options["starting_balance"], _days(options["days_done"])
    amount = None if given is None else _above_zero(_amount("--starting-balance", given))
    if "begin_stage" in asked:
        return changes.begin_stage(context, amount, days_done=days or 0, **said)
    assert amount is not None  # noqa: S101  # it is what was asked for
    return changes.state_starting_balance(context, amount, days_done=days, **said)


def _amount(option: str, text: str) -> Decimal:
    """Return the amount. Raises `InvalidInput` unless it is a plain, finite number."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found) > MOST:
        raise InvalidInput([FieldError(option, f"{text!r} is not an amount of money")])
    return found


def _above_zero(amount: Decimal) -> Decimal:
    if amount <= 0:
        raise InvalidInput([FieldError("--starting-balance", "must be above 0")])
    return amount


def _days(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput([FieldError("--days-done", f"{text!r} is not a number of days")])
    return int(text)


def _answer(row: TradingAccount, change: AccountChange | None) -> dict[str, Any]:
    return {
        "account": row.name,
        "broker_id": row.broker_id,
        "starting_balance": exact_text(row.start_balance),
        "base": row.base,
        "since": row.counts_since,
        "peak_equity": exact_text(row.peak_equity),
        "peak_at": row.peak_at,
        "days_done": row.days_done,
        "change": _fields(change) if change else None,
        "changes": [_fields(each) for each in _latest(row)],
    }


def _latest(row: TradingAccount) -> list[AccountChange]:
    return list(AccountChange.objects.filter(account=row.name).order_by("-pk")[:SHOWN])


def _fields(change: AccountChange) -> dict[str, Any]:
    amounts = {name: exact_text(getattr(change, name)) for name in ("amount", "moved")}
    others = ("kind", "at", "made_at", "by", "why", "broker_ref")
    return {**amounts, **{name: getattr(change, name) for name in others}}


def _text(row: TradingAccount, change: AccountChange | None) -> str:
    lines = [f"Stored: {_what(change)}."] if change else []
    since = f"since {row.counts_since:%Y-%m-%d %H:%M} UTC: {row.get_base_display()}"
    lines.append(f"Account {row.name} counts from {row.start_balance:.2f}, {since}.")
    peak = f" on {row.peak_at:%Y-%m-%d %H:%M} UTC" if row.peak_at else ""
    lines.append(f"Its highest equity was {row.peak_equity:.2f}{peak}.")
    return "\n".join([*lines, *map(_line, _latest(row))])


def _what(change: AccountChange) -> str:
    return f"{change.get_kind_display()} of {exact_text(change.amount)}"


def _line(change: AccountChange) -> str:
    return (
        f"{change.at:%Y-%m-%d %H:%M} {change.get_kind_display()} {exact_text(change.amount)} "
        f"by {change.by}: {change.why}"
    )
