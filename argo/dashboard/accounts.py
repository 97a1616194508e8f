"""Which accounts there are, and the one that the dashboard shows."""

from datetime import datetime

from django.conf import settings

from execution.accounts.equity import latest_day
from execution.models import Position, TradingAccount
from execution.types import REPLAY


def names() -> list[str]:
    """Return the accounts that Argo has traded on, the one of the settings first."""
    known = TradingAccount.objects.order_by("name").values_list("name", flat=True)
    others = [name for name in known if name != settings.TRADING_ACCOUNT]
    return [settings.TRADING_ACCOUNT, *others]


def chosen(wanted: str) -> str:
    """Return the account that is asked for.

    Without one it is the account of the settings; before its first trade, the replay's if there is
    one, so that a first look finds something.
    """
    known = names()
    if wanted in known:
        return wanted
    has_traded = Position.objects.open_on(known[0]) or Position.objects.latest_closed(known[0], 1)
    return REPLAY if REPLAY in known and not has_traded else known[0]


def last_mark(account: str) -> datetime | None:
    """Return the time of the account's last mark; None before the first."""
    latest = latest_day(account)
    return latest.marked_at if latest else None
