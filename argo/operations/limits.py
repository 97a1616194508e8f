"""The page of limits: how much of each is left, now and after a trade that somebody considers."""

from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from pydantic import ValidationError

from argo.errors import ArgoError
from execution import status as execution_status
from execution.api.schemas import LimitsOut, LimitsQuery
from execution.money import ONE, ZERO
from execution.web import for_request
from signals.ledger.validation import faults_of

NEAR = Decimal("0.8")
"""The used share from which a bar has another colour."""
FIELDS = ("signal_id", "symbol", "side", "entry", "stop", "quantity")


class Bar(NamedTuple):
    """The used share of a limit, from 0 to 1."""

    share: float
    is_near: bool


class Row(NamedTuple):
    """A limit now and after the trade, and its bar."""

    now: Any
    after: Any
    bar: Bar | None


def content(request: HttpRequest) -> dict[str, Any]:
    """Return the limits of the account that Argo trades on, and the figures of all accounts.

    An invalid trade, or a broker that does not answer, is a sentence on the page.
    """
    given = {name: text for name in FIELDS if (text := request.GET.get(name, "").strip())}
    shown = {
        "given": given,
        "account": settings.TRADING_ACCOUNT,
        "accounts": execution_status.accounts(),
    }
    try:
        return shown | {"limits": _limits(LimitsQuery.model_validate(given))}
    except ValidationError as error:
        return shown | {
            "faults": [_sentence(fault.field, fault.message) for fault in faults_of(error)]
        }
    except ArgoError as error:
        return shown | {"faults": [str(error)]}


def _limits(query: LimitsQuery) -> dict[str, Any]:
    # Imported here because the broker and the market load pandas.
    from execution.api.limits import limits_view
    from execution.factory import trading_context

    with for_request(trading_context()) as context:
        found = LimitsOut.model_validate(limits_view(context, query))
    firm = found.prop_firm
    return {
        "found": found,
        "rows": _paired(found.before, found.after),
        "firm_rows": _paired(firm.before, firm.after) if firm else [],
    }


def _paired(before: list[Any], after: list[Any] | None) -> list[Row]:
    """Return each limit with what the trade would make of it; None without a trade."""
    by_code = {each.code: each for each in after or ()}
    return [Row(each, by_code.get(each.code), _shown(each)) for each in before]


def _shown(limit: Any) -> Bar | None:  # noqa: ANN401  # a limit of Argo's or of the firm's
    """Return how much of the limit is used as a bar; None if it is not a part of something."""
    used, most = Decimal(limit.used), Decimal(limit.limit)
    if most <= ZERO or used < ZERO:
        return None
    return Bar(float(min(used / most, ONE)), is_near=used >= most * NEAR)


def _sentence(field: str, message: str) -> str:
    return f"{field}: {message}" if field else message
