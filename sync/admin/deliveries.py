"""The admin site of sync: the deliveries, the breaker, and sending dead deliveries again."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from signals.admin import markup
from signals.admin.changelist import needing
from signals.admin.choices import one_of
from signals.admin.columns import column, time
from signals.admin.common import ActedOn, ReadOnly, who
from signals.admin.exports import EXPORTS
from signals.admin.search import SearchedBySignal
from signals.admin.signals import SignalAdmin
from signals.clock import utc_now
from signals.models import Signal
from sync.models import DEAD, OPEN, Delivery
from sync.recovery import retry_dead
from sync.status import as_text, status

MOST_COUNTED = 10_000
"""Deliveries that the head of the list counts in each state."""
STATES: dict[str, str] = {Delivery.Status.DELIVERED: "good", Delivery.Status.DEAD: "bad"}


class AgeFilter(admin.SimpleListFilter):
    """Selects deliveries by how long ago they were queued."""

    title = "age"
    parameter_name = "older"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [
            ("60", "older than a minute"),
            ("3600", "older than an hour"),
            ("86400", "older than a day"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        seconds = self.value()
        if seconds not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(queued_at__lt=utc_now() - timedelta(seconds=int(seconds)))


class ErrorFilter(admin.SimpleListFilter):
    """Selects failed deliveries by Alpine's last answer.

    The classes are fixed: listing only those that occur would scan the table.
    """

    title = "error"
    parameter_name = "error"
    CLASSES: ClassVar = {"3": "3xx", "4": "4xx", "5": "5xx"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [("none", "no answer"), *self.CLASSES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        failed = queryset.filter(delivered_at=None, attempted_at__isnull=False)
        if self.value() == "none":
            return failed.filter(last_status=None).exclude(last_answer="")
        if self.value() in self.CLASSES:
            first = 100 * int(str(self.value()))
            return failed.filter(last_status__range=(first, first + 99))
        return queryset


DeliveryFilter = one_of(
    "delivery__status", Delivery.Status.choices, title="delivery", parameter="delivery",
    none="not to be sent",
)  # fmt: skip
"""Filters signals by their delivery."""


class DeliveryInline(ReadOnly, admin.StackedInline[Delivery, Signal]):
    model = Delivery
    exclude = ("claim",)
    verbose_name_plural = "delivery to Alpine"


@needing("sync.change_delivery", "Send dead deliveries to Alpine again")
def send_again(
    model_admin: admin.ModelAdmin[Signal], request: HttpRequest, signals: QuerySet[Signal]
) -> None:
    _send_again(model_admin, request, signals.order_by().values_list("pk", flat=True))


def _send_again(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, keys: Iterable[int]
) -> None:
    """Queue the dead ones of these deliveries again, and keep who asked for it."""
    dead = list(Delivery.objects.filter(DEAD, pk__in=list(keys)).select_related("signal"))
    ids = [each.signal.signal_id for each in dead]
    queued = retry_dead(utc_now(), signal_ids=ids, who=who(request))
    for delivery in dead:
        model_admin.log_change(request, delivery, "Sent again")
    level = messages.SUCCESS if queued else messages.WARNING
    messages.add_message(request, level, f"{queued} deliveries queued again")


SignalAdmin.actions.append(send_again)
SignalAdmin.list_filter.insert(-2, DeliveryFilter)  # before the filters by time
SignalAdmin.inlines.append(DeliveryInline)  # from here, because signals does not know sync


@admin.register(Delivery)
class DeliveryAdmin(ActedOn, SearchedBySignal[Delivery]):
    list_display = (
        "signal__signal_id", "instrument", "state", "attempts", "last_status", "answer",
        "due", "delivered",
    )  # fmt: skip
    list_filter = (
        one_of(
            "status", Delivery.Status.choices, parameter="status__exact",
            few={Delivery.Status.PENDING: OPEN, Delivery.Status.SENDING: OPEN},
            walked={Delivery.Status.DEAD: DEAD},
        ),
        AgeFilter,
        ErrorFilter,
    )  # fmt: skip
    list_select_related = ("signal",)
    signal, symbol = "pk", "signal__symbol"
    actions = ("send_again", *EXPORTS)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        text = as_text(status(utc_now(), MOST_COUNTED))
        return super().changelist_view(request, {**(extra_context or {}), "status_text": text})

    @admin.display(description="symbol")
    def instrument(self, delivery: Delivery) -> SafeString:
        return markup.signal_link(delivery.signal.signal_id, delivery.signal.symbol)

    @admin.display(description="due")
    def due(self, delivery: Delivery) -> str:
        is_open = delivery.status in (Delivery.Status.PENDING, Delivery.Status.SENDING)
        return markup.moment(delivery.due_at) if is_open else ""

    delivered = column("delivered", "delivered_at", time)

    @admin.display(description="status")
    def state(self, delivery: Delivery) -> str:
        return markup.tag(delivery.status, STATES.get(delivery.status, ""))

    @admin.display(description="last error")
    def answer(self, delivery: Delivery) -> str:
        return "" if delivery.delivered_at else delivery.last_answer[:80]

    @admin.action(description="Send dead deliveries again", permissions=["change"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        _send_again(self, request, deliveries.order_by().values_list("pk", flat=True))
