"""Endpoints under /api/execution/accounts: the accounts that Argo has traded on."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Router

from argo.errors import NotFound
from execution.accounts import halts
from execution.accounts.equity import latest_day
from execution.api.account_schemas import AccountDetail, AccountOut
from execution.models import AccountChange, TradingAccount
from execution.status import open_orders, open_positions
from signals.api.auth import reader
from signals.api.schemas import Refused

router = Router(tags=["execution"])
CHANGES = 100
"""The latest changes of an account that are shown."""


@router.get(
    "/accounts",
    auth=reader,
    response=list[AccountOut],
    summary="The accounts that Argo has traded on, with their money and halts",
)
def list_accounts(request: HttpRequest) -> list[dict[str, Any]]:
    """Return every account in order of its name, as it was when it was last looked at. No broker is
    asked."""
    return [_view(row) for row in TradingAccount.objects.order_by("name")]


@router.get(
    "/accounts/{name}",
    auth=reader,
    response={200: AccountDetail, 404: Refused},
    summary="One account, with the changes of what its limits are counted from",
)
def get_account(request: HttpRequest, name: str) -> dict[str, Any]:
    """Return the account, and its latest 100 deposits, withdrawals and other changes of its base,
    the newest first."""
    row = None if "\0" in name else TradingAccount.objects.filter(name=name).first()
    if row is None:
        known = ", ".join(TradingAccount.objects.order_by("name").values_list("name", flat=True))
        raise NotFound(f"There is no account {name!r}; there are {known or 'none yet'}.")
    changes = AccountChange.objects.filter(account=name).order_by("-pk")[:CHANGES]
    return _view(row) | {"changes": list(changes)}


def _view(row: TradingAccount) -> dict[str, Any]:
    own = AccountOut.model_fields.keys() & {field.name for field in row._meta.concrete_fields}
    halted = halts.active(row.name)
    return {name: getattr(row, name) for name in own} | {
        "is_current": row.name == settings.TRADING_ACCOUNT,
        "state": "halted" if halted else "trading",
        "halts": [each.code for each in halted],
        "open_positions": open_positions(row.name),
        "open_orders": sum(open_orders(row.name).values()),
        "latest": latest_day(row.name),
    }
