"""Endpoints under /api/execution: the state of trading, halts, limits, and asking for one trade.

The broker's modules are imported on demand, because they load pandas.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status

from execution.accounts import halts
from execution.accounts.rows import account_of
from execution.api import queries
from execution.api.schemas import (
    DecisionOut,
    DecisionPage,
    FillPage,
    HaltIn,
    HaltOut,
    HaltPage,
    Lifted,
    LimitsOut,
    LimitsQuery,
    OrderPage,
    PositionPage,
    ResumeIn,
)
from execution.models import Halt
from execution.status import status
from execution.types import HaltCode
from execution.web import for_request
from signals.api.auth import reader, trader, who
from signals.api.bodies import refuse_unknown
from signals.api.schemas import Refused
from signals.clock import utc_now

router = Router(tags=["execution"])


@router.get("/status", auth=reader, summary="The state of execution")
def get_status(request: HttpRequest) -> dict[str, Any]:
    return status(utc_now())


@router.get("/decisions", auth=reader, response=DecisionPage, summary="Decisions, newest first")
def list_decisions(request: HttpRequest, query: Query[queries.DecisionQuery]) -> dict[str, Any]:
    refuse_unknown(request, queries.DecisionQuery)
    return _page(queries.decisions(query), query.limit)


@router.get("/orders", auth=reader, response=OrderPage, summary="Orders, newest first")
def list_orders(request: HttpRequest, query: Query[queries.OrderQuery]) -> dict[str, Any]:
    refuse_unknown(request, queries.OrderQuery)
    return _page(queries.orders(query), query.limit)


@router.get("/fills", auth=reader, response=FillPage, summary="Fills, newest first")
def list_fills(request: HttpRequest, query: Query[queries.FillQuery]) -> dict[str, Any]:
    refuse_unknown(request, queries.FillQuery)
    return _page(queries.fills(query), query.limit)


@router.get("/positions", auth=reader, response=PositionPage, summary="Positions, newest first")
def list_positions(request: HttpRequest, query: Query[queries.PositionQuery]) -> dict[str, Any]:
    refuse_unknown(request, queries.PositionQuery)
    return _page(queries.positions(query), query.limit)


@router.get("/halts", auth=reader, response=HaltPage, summary="Halts in force, or all of them")
def list_halts(request: HttpRequest, query: Query[queries.HaltQuery]) -> dict[str, Any]:
    refuse_unknown(request, queries.HaltQuery)
    return _page(queries.halts(query), query.limit)


@router.get(
    "/limits",
    auth=reader,
    response={200: LimitsOut, 404: Refused, 503: Refused},
    summary="How much of each limit is left, before and after a trade",
)
def get_limits(request: HttpRequest, query: Query[LimitsQuery]) -> dict[str, Any]:
    """Return the limits of the account. With a `signal_id`, or a trade's symbol, side, entry and
    stop, also return what the trade would leave, and the rules that deny it. Nothing is traded."""
    refuse_unknown(request, LimitsQuery)
    from execution.api.limits import limits_view
    from execution.factory import trading_context

    with for_request(trading_context()) as context:
        return limits_view(context, query)


@router.post(
    "/halt", auth=trader, response={200: HaltOut, 422: Refused}, summary="Stop all new trades"
)
def halt(request: HttpRequest, body: HaltIn) -> Halt:
    """Stop new trades until a person resumes. If a halt by hand is in force, its reason stays."""
    account = settings.TRADING_ACCOUNT
    return halts.latch(account, HaltCode.BY_HAND, body.why, utc_now(), by=who(request))


@router.post(
    "/resume",
    auth=trader,
    response={200: Lifted, 404: Refused, 409: Refused, 422: Refused},
    summary="Lift all halts, or the one with this code",
)
def resume(request: HttpRequest, body: ResumeIn) -> dict[str, int]:
    """Lift halts. A cause that remains halts again: a broken limit, a broker that differs."""
    account = account_of(body.account) if body.account else settings.TRADING_ACCOUNT
    lifted = halts.lift(account, by=who(request), why=body.why, now=utc_now(), code=body.code)
    return {"lifted": lifted}


@router.post(
    "/signals/{signal_id}/execute",
    auth=trader,
    response={200: DecisionOut, 202: DecisionOut, 404: Refused, 409: Refused, 503: Refused},
    summary="Decide on one signal now",
)
def execute_signal(request: HttpRequest, signal_id: str) -> Status[Any]:
    """Decide on the signal by the rules of every trade, even if AUTO_EXECUTE is off.

    200 with the decision and every reason; 202 if it is decided in a moment; 409 if it was executed
    before, has an outcome or belongs to a replay; 503 if the broker does not answer: then nothing
    is queued."""
    from execution.factory import trading_context
    from execution.manual import execute

    with for_request(trading_context()) as context:
        decision = execute(context, signal_id, who(request))
    return Status(200 if decision.decided_at else 202, decision)


def _page(rows: Sequence[Model], limit: int) -> dict[str, Any]:
    """Return a page; the queries return one row more than the limit if there is one."""
    items = rows[:limit]
    return {"items": items, "next": items[-1].pk if len(rows) > limit else None}
