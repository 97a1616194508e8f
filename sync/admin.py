"""The admin site of sync: the deliveries, the breaker, and sending dead deliveries again."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from signals.admin.columns import column, time
from signals.admin.common import ActedOn, ReadOnly
from signals.admin.signals import SignalAdmin
from signals.clock import utc_now
from signals.models import Signal
from sync.models import Delivery
from sync.recovery import retry_dead
from sync.status import as_text, status


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


class DeliveryInline(ReadOnly, admin.StackedInline[Delivery, Signal]):
    model = Delivery
    exclude = ("claim",)
    verbose_name_plural = "delivery to Alpine"


SignalAdmin.inlines.append(DeliveryInline)  # from here, because signals does not know sync


@admin.register(Delivery)
class DeliveryAdmin(ActedOn, admin.ModelAdmin[Delivery]):
    list_display = (
        "signal__signal_id", "signal__symbol", "status", "attempts", "last_status", "answer",
        "due", "delivered",
    )  # fmt: skip
    list_filter = ("status", AgeFilter, ErrorFilter)
    list_select_related = ("signal",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=signal__signal_id",)
    search_help_text = "A whole signal id"
    show_full_result_count = False
    actions = ("send_again",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        text = as_text(status(utc_now()))
        return super().changelist_view(request, {**(extra_context or {}), "status_text": text})

    @admin.display(description="due", ordering="due_at")
    def due(self, delivery: Delivery) -> str:
        is_open = delivery.status in (Delivery.Status.PENDING, Delivery.Status.SENDING)
        return time(delivery.due_at) if is_open else ""

    delivered = column("delivered", "delivered_at", time, sorts=True)

    @admin.display(description="last error")
    def answer(self, delivery: Delivery) -> str:
        return "" if delivery.delivered_at else delivery.last_answer[:80]

    @admin.action(description="Send dead deliveries again", permissions=["change"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        ids = list(deliveries.values_list("signal__signal_id", flat=True))
        queued = retry_dead(utc_now(), signal_ids=ids)
        messages.success(request, f"{queued} deliveries queued again")
