"""The parts of the pages of signals that execution adds."""

from django.contrib import admin

from execution.admin.decisions import WithReasons
from execution.admin.executing import execute
from execution.admin.filters import Decided, SkippedFor
from execution.models import Counterfactual, Decision, Order, Position
from signals.admin.common import ReadOnly
from signals.admin.signals import SignalAdmin
from signals.models import Signal


class DecisionInline(WithReasons, ReadOnly, admin.StackedInline[Decision, Signal]):
    model = Decision
    fields = (("status", "account", "asked_by"), "why", ("queued_at", "decided_at"), "before")
    readonly_fields = ("why", "before")
    verbose_name_plural = "decision"


class OrderInline(ReadOnly, admin.TabularInline[Order, Signal]):
    model = Order
    fields = ("leg", "side", "quantity", "level", "state", "filled", "average_price", "reason",
              "created_at", "updated_at")  # fmt: skip
    show_change_link = True


class PositionInline(ReadOnly, admin.StackedInline[Position, Signal]):
    model = Position
    fields = (
        ("status", "side", "quantity", "closed_quantity"), ("entry_price", "stop", "target"),
        ("opened_at", "expires_at"), ("closing_for", "closed_at", "exit_reason"),
        ("exit_price", "fees", "profit"), ("mae", "mfe"),
    )  # fmt: skip
    verbose_name_plural = "position"


class CounterfactualInline(ReadOnly, admin.StackedInline[Counterfactual, Signal]):
    model = Counterfactual
    fields = (("outcome", "exit_price", "profit_loss_pct", "exit_reason"),
              ("entered_at", "expires_at", "ended_at"))  # fmt: skip
    verbose_name_plural = "outcome without a trade"


# Added here, because signals must not import execution.
SignalAdmin.actions.append(execute)
SignalAdmin.list_filter[-2:-2] = [Decided, SkippedFor]  # before the filters by time
SignalAdmin.inlines += [DecisionInline, OrderInline, PositionInline, CounterfactualInline]
