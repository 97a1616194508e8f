"""Endpoints under /api/execution: the state of trading, halts, limits, and asking for one trade.

The broker's modules are imported on demand, because they load pandas.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router
from ninja.responses import Status

from execution.accounts import halts
from execution.accounts.rows import account_of
from execution.api import filters, queries
from execution.api.item_schemas import (
    DecisionOut,
    DecisionPage,
    FillPage,
    HaltOut,
    HaltPage,
    OrderPage,
    PositionPage,
)
from execution.api.schemas import ExecuteIn, HaltIn, Lifted, LimitsOut, LimitsQuery, ResumeIn
from execution.api.status_schemas import ExecutionStatus
from execution.models import Halt
from execution.status import status
from execution.types import HaltCode
from execution.web import for_request
from signals.api.auth import reader, trader, who
from signals.api.bodies import refuse_unknown
from signals.api.repeats import does_nothing_twice
from signals.api.schemas import Refused
from signals.clock import utc_now
from signals.retrieval.lists import answer

router = Router(tags=["execution"])


@router.get("/status", auth=reader, response=ExecutionStatus, summary="The state of execution")
def get_status(request: HttpRequest) -> dict[str, Any]:
    """Return what waits, what was decided lately with the reasons, open orders and positions,
    halts, and problems, of the account that the settings name."""
    return status(utc_now())


@router.get(
    "/decisions",
    auth=reader,
    response={200: DecisionPage, 422: Refused},
    summary="Decisions, newest first",
)
def list_decisions(request: HttpRequest, query: Query[filters.DecisionQuery]) -> HttpResponse:
    """Return one page of decisions. A page by a filter without an index (all but `signal_id` and a
    `status` other than `skipped`) may be short, or empty, and still have a `next`."""
    refuse_unknown(request, filters.DecisionQuery)
    return answer(queries.decisions(query), query)


@router.get("/orders", auth=reader, response=OrderPage, summary="Orders, newest first")
def list_orders(request: HttpRequest, query: Query[filters.OrderQuery]) -> HttpResponse:
    """Return one page of orders. Only `signal_id` and the states of open orders have an index."""
    refuse_unknown(request, filters.OrderQuery)
    return answer(queries.orders(query), query)


@router.get("/fills", auth=reader, response=FillPage, summary="Fills, newest first")
def list_fills(request: HttpRequest, query: Query[filters.FillQuery]) -> HttpResponse:
    """Return one page of fills. Only `signal_id` has an index."""
    refuse_unknown(request, filters.FillQuery)
    return answer(queries.fills(query), query)


@router.get(
    "/positions",
    auth=reader,
    response={200: PositionPage, 422: Refused},
    summary="Positions, newest first",
)
def list_positions(request: HttpRequest, query: Query[filters.PositionQuery]) -> HttpResponse:
    """Return one page of positions. Only `signal_id` and `status=open` have an index."""
    refuse_unknown(request, filters.PositionQuery)
    return answer(queries.positions(query), query)


@router.get(
    "/halts",
    auth=reader,
    response={200: HaltPage, 422: Refused},
    summary="Halts in force, or all of them",
)
def list_halts(request: HttpRequest, query: Query[filters.HaltQuery]) -> HttpResponse:
    """Return one page of halts: those in force, or all of them with who lifted them and why."""
    refuse_unknown(request, filters.HaltQuery)
    return answer(queries.halts(query), query)


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
    response={
        200: DecisionOut,
        202: DecisionOut,
        404: Refused,
        409: Refused,
        422: Refused,
        503: Refused,
    },
    summary="Decide on one signal now",
)
@does_nothing_twice
def execute_signal(
    request: HttpRequest, signal_id: str, body: Body[ExecuteIn | None] = None
) -> Status[Any]:
    """Decide on the signal by the rules of every trade, even if AUTO_EXECUTE is off. The log of
    acts keeps the reason `why`, which may be left out.

    200 with the decision and every reason; 202 if it is decided in a moment; 409 if it was executed
    before, has an outcome or belongs to a replay; 503 if the broker does not answer: then nothing
    is queued. The same request again, after the process that took it was killed, asks for nothing
    more: the answer has the decision as it is now."""
    from execution.factory import trading_context
    from execution.manual import execute

    with for_request(trading_context()) as context:
        decision = execute(context, signal_id, who(request), (body and body.why) or "")
    return Status(200 if decision.decided_at else 202, decision)
