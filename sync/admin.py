"""The admin site: deliveries can be looked at, and dead ones sent again."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from signals.admin import ReadOnly, SignalAdmin
from signals.clock import utc_now
from signals.models import Signal
from sync.dead import revive
from sync.models import Breaker, Delivery


class WaitingFor(admin.SimpleListFilter):
    """By how long a delivery has waited, or did wait."""

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


class DeliveryInline(ReadOnly, admin.StackedInline[Delivery, Signal]):
    model = Delivery
    exclude = ("claim",)
    verbose_name_plural = "delivery to Alpine"


SignalAdmin.inlines.append(DeliveryInline)  # the ledger knows nothing of what stands on it


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, admin.ModelAdmin[Delivery]):
    list_display = (
        "signal", "status", "attempts", "due_at", "last_status", "answer", "delivered_at",
    )  # fmt: skip
    list_filter = ("status", WaitingFor, "last_status")
    list_select_related = ("signal",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=signal__signal_id",)
    search_help_text = "A signal id, whole"
    show_full_result_count = False
    actions = ("send_again",)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return obj is None  # for the action on the list

    @admin.display(description="answer")
    def answer(self, delivery: Delivery) -> str:
        return delivery.last_answer[:80]

    @admin.action(description="Send again, where dead")
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        ids = list(deliveries.values_list("signal__signal_id", flat=True))
        messages.success(request, f"{revive(utc_now(), signal_ids=ids)} deliveries queued again")


@admin.register(Breaker)
class BreakerAdmin(ReadOnly, admin.ModelAdmin[Breaker]):
    list_display = ("__str__", "failures", "opened_at", "probe_at", "reason")
