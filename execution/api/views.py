"""Endpoints under /api/execution: how trading stands, halting it, and asking for one trade.

What talks to the broker is imported where it is called, since it brings pandas along.
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
from signals.api.auth import reader, writer
from signals.api.bodies import refuse_unknown
from signals.api.schemas import Refused
from signals.clock import utc_now

router = Router(tags=["execution"])


@router.get("/status", auth=reader, summary="How execution stands")
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


@router.get("/halts", auth=reader, response=HaltPage, summary="Halts that stand, or all there were")
def list_halts(request: HttpRequest, query: Query[queries.HaltQuery]) -> dict[str, Any]:
    refuse_unknown(request, queries.HaltQuery)
    return _page(queries.halts(query), query.limit)


@router.get(
    "/limits",
    auth=reader,
    response={200: LimitsOut, 404: Refused, 503: Refused},
    summary="The distance to each limit, before and after a trade",
)
def get_limits(request: HttpRequest, query: Query[LimitsQuery]) -> dict[str, Any]:
    """With a `signal_id`, or a trade's symbol, side, entry and stop, also what would be left after
    it, and what the rules have against it. Nothing is traded."""
    refuse_unknown(request, LimitsQuery)
    from execution.api.limits import limits_view
    from execution.factory import trading_context

    return limits_view(trading_context(), query)


@router.post(
    "/halt", auth=writer, response={200: HaltOut, 422: Refused}, summary="Stop all new trades"
)
def halt(request: HttpRequest, body: HaltIn) -> Halt:
    """Until a person resumes. One halt by hand stands at a time: the first one's reason stays."""
    account = settings.TRADING_ACCOUNT
    return halts.latch(account, halts.BY_HAND, body.why, utc_now(), by=_who(request))


@router.post(
    "/resume",
    auth=writer,
    response={200: Lifted, 404: Refused, 409: Refused, 422: Refused},
    summary="Lift the halts, or the one of a code",
)
def resume(request: HttpRequest, body: ResumeIn) -> dict[str, int]:
    """What still stands latches again: a breached limit, a broker that disagrees."""
    account = account_of(body.account) if body.account else settings.TRADING_ACCOUNT
    lifted = halts.lift(account, by=_who(request), why=body.why, now=utc_now(), code=body.code)
    return {"lifted": lifted}


@router.post(
    "/signals/{signal_id}/execute",
    auth=writer,
    response={200: DecisionOut, 202: DecisionOut, 404: Refused, 409: Refused, 503: Refused},
    summary="Decide on one signal now",
)
def execute_signal(request: HttpRequest, signal_id: str) -> Status[Any]:
    """By the rules of every trade, whatever AUTO_EXECUTE says. 200 with what was decided and every
    reason; 202 where it is decided in a moment; 409 where it was executed before, has an outcome or
    is a replay's; 503 where the broker does not answer: then nobody has asked for anything."""
    from execution.factory import trading_context
    from execution.manual import execute

    decision = execute(trading_context(), signal_id, _who(request))
    return Status(200 if decision.decided_at else 202, decision)


def _who(request: HttpRequest) -> str:
    """The name of the API key."""
    return f"api:{request.auth}"  # type: ignore[attr-defined]  # ninja puts it there


def _page(rows: Sequence[Model], limit: int) -> dict[str, Any]:
    """The queries give one row more than asked for, where there is one."""
    items = rows[:limit]
    return {"items": items, "next": items[-1].pk if len(rows) > limit else None}
