"""Orders, fills and positions; an entry can be canceled and a position closed."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from execution.admin.common import (
    OfAccount,
    Question,
    ask,
    each,
    signal_link,
    traded,
)
from execution.admin.corporate import PositionChangeInline
from execution.admin.filters import ClosedBy, Duration, Ended, InState, Mae, Mfe, Profit, Standing
from execution.models import Fill, Order, Position
from execution.money import exact_text
from execution.types import Leg
from execution.web import for_request
from signals.admin.choices import SIDES, emptiness, one_of
from signals.admin.columns import column, gain, percent, price, time
from signals.admin.common import ActedOn, ReadOnly, who
from signals.admin.exports import EXPORTS
from signals.admin.outcomes import outcome_tag, with_changes
from signals.admin.search import SearchedBySignal
from signals.keyset import by_index

LEGS = [leg.value for leg in Leg]
CANCEL = Question(
    "Cancel these orders?",
    "The broker is asked at once. A part that an entry has already filled stays a position with "
    "its stop and target. Exits are not canceled: close their position instead.",
    "Cancel the orders",
    "cancel",
)
CLOSE = Question(
    "Close these positions at the market?",
    "The monitor closes them at its next look, within seconds while the worker runs. Their stops "
    "and targets are canceled, and their signals get their outcome.",
    "Close the positions",
    "close",
)


class FillInline(ReadOnly, admin.TabularInline[Fill, Order]):
    model = Fill
    fields = ("time", "quantity", "price", "fee", "fill_id", "refused")


@admin.register(Order)
class OrderAdmin(ActedOn, SearchedBySignal[Order]):
    list_display = (
        "made", "leg", "what", "at_level", "state", "done", "average", "reason", "account",
    )  # fmt: skip
    list_filter = (
        InState,
        one_of("leg", LEGS, parameter="leg__exact"),
        one_of("side", SIDES),
        OfAccount,
    )
    list_select_related = ("signal",)
    inlines = (FillInline,)
    exclude = ("signal", "claim")
    readonly_fields = ("its_signal",)
    actions = ("cancel", *EXPORTS)

    made = column("made", "created_at", time)
    at_level = column("at", "level", price)
    done = column("filled", "filled", exact_text)
    average = column("average", "average_price", price)

    @admin.action(description="Cancel entries that may still fill…", permissions=["change"])
    def cancel(self, request: HttpRequest, orders: QuerySet[Order]) -> TemplateResponse | None:
        why = ask(self, request, CANCEL, orders)
        if isinstance(why, TemplateResponse):
            return why
        for order in each(request, orders, lambda order: _cancel(order, who(request), why)):
            self.log_change(request, order, f"Canceled: {why}")
        return None

    @admin.display(description="signal")
    def its_signal(self, order: Order) -> SafeString:
        return signal_link(order.signal)

    @admin.display(description="order")
    def what(self, order: Order) -> SafeString:
        return traded(order.side, order.quantity, order.symbol, order.signal)


@admin.register(Fill)
class FillAdmin(ReadOnly, SearchedBySignal[Fill]):
    symbol = "order__symbol"
    list_display = (
        "at", "order__leg", "what", "price_of", "fee_of", "refused", "account",
    )  # fmt: skip
    list_filter = (
        emptiness("refused", yes="accepted", no="refused"),
        one_of("order__leg", LEGS, parameter="order__leg__exact"),
        OfAccount,
    )
    list_select_related = ("order__signal",)

    at = column("time", "time", time)

    def of_signal(self, rows: QuerySet[Fill], signal_row: int) -> QuerySet[Fill]:
        return by_index(rows.filter(order__signal=signal_row))

    price_of = column("price", "price", price)
    fee_of = column("fee", "fee", price)

    @admin.display(description="fill")
    def what(self, fill: Fill) -> SafeString:
        return traded(fill.order.side, fill.quantity, fill.order.symbol, fill.order.signal)


@admin.register(Position)
class PositionAdmin(ActedOn, SearchedBySignal[Position]):
    signal = "pk"
    list_display = (
        "opened", "what", "entry", "exit", "gained", "outcome", "ended_by", "against", "favor",
        "lasted", "account",
    )  # fmt: skip
    list_filter = (Standing, Ended, ClosedBy, Profit, Mae, Mfe, Duration, OfAccount)
    list_select_related = ("signal",)
    fields = (
        "its_signal", ("status", "account"), ("side", "quantity", "closed_quantity", "symbol"),
        ("entry_price", "stop", "target"), ("opened_at", "expires_at"),
        ("closing_for", "closed_at", "exit_reason"), ("exit_price", "fees", "profit", "outcome"),
        ("mae", "mfe", "lasted"),
    )  # fmt: skip
    readonly_fields = ("its_signal", "outcome", "lasted")
    inlines = (PositionChangeInline,)
    actions = ("close", *EXPORTS)

    entry = column("entry", "entry_price", price)
    exit = column("exit", "exit_price", price)
    gained = column("profit", "profit", gain)
    against = column("MAE %", "mae", percent)
    favor = column("MFE %", "mfe", percent)

    @admin.action(description="Close at the market…", permissions=["change"])
    def close(self, request: HttpRequest, positions: QuerySet[Position]) -> Any:  # noqa: ANN401
        why = ask(self, request, CLOSE, positions)
        if isinstance(why, TemplateResponse):
            return why
        for position in each(request, positions, lambda row: _close(row, who(request), why)):
            self.log_change(request, position, f"Asked to close: {why}")
        return None

    @admin.display(description="signal")
    def its_signal(self, position: Position) -> SafeString:
        return signal_link(position.signal)

    opened = column("opened", "opened_at", time)

    @admin.display(description="position")
    def what(self, position: Position) -> SafeString:
        return traded(position.side, position.quantity, position.symbol, position.signal)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Position]:
        return with_changes(super().get_queryset(request), "signal__changes")

    @admin.display(description="outcome")
    def outcome(self, position: Position) -> SafeString:
        return outcome_tag(position.signal)

    @admin.display(description="exit reason")
    def ended_by(self, position: Position) -> str:
        if position.status == Position.Status.OPEN:
            return f"closing: {position.closing_for}" if position.closing_for else "open"
        return position.exit_reason

    @admin.display(description="open for")
    def lasted(self, position: Position) -> str:
        return "" if position.duration is None else _lasted(position.duration)


def _lasted(duration: timedelta) -> str:
    hours, minutes = divmod(duration.seconds // 60, 60)
    return f"{duration.days} d {hours} h" if duration.days else f"{hours} h {minutes} min"


# Loaded on demand: the broker needs pandas, which takes half a second and 80 MiB.
def _cancel(order: Order, by: str, why: str) -> str:
    from execution.factory import trading_context
    from execution.manual import cancel

    with for_request(trading_context()) as context:
        return f"Cancel requested: {cancel(context, order, who=by, why=why)}"


def _close(position: Position, by: str, why: str) -> str:
    from execution.manual import close

    close(settings.TRADING_ACCOUNT, position, who=by, why=why)
    return f"The monitor closes it at its next look: {position}"
