"""The admin site: deliveries and the breaker can be looked at, and dead ones sent again."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from signals.admin.common import ReadOnly
from signals.admin.signals import SignalAdmin
from signals.clock import utc_now
from signals.models import Signal
from sync.dead import revive
from sync.models import Delivery
from sync.status import as_text, status


class WithAge(admin.SimpleListFilter):
    """By how long ago a delivery was queued."""

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


class WithError(admin.SimpleListFilter):
    """By what Alpine answered last. Fixed classes: to look for those that occur takes a scan."""

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


SignalAdmin.inlines.append(DeliveryInline)  # the ledger knows nothing of what stands on it


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, admin.ModelAdmin[Delivery]):
    list_display = (
        "signal__signal_id", "signal__symbol", "status", "attempts", "last_status", "answer",
        "due", "delivered",
    )  # fmt: skip
    list_filter = ("status", WithAge, WithError)
    list_select_related = ("signal",)
    list_per_page = 50
    ordering = ("-pk",)
    search_fields = ("=signal__signal_id",)
    search_help_text = "A signal id, whole"
    show_full_result_count = False
    actions = ("send_again",)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        # Of none by itself; on the list, whoever may send dead ones again.
        return obj is None and request.user.has_perm("sync.change_delivery")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        standing = as_text(status(utc_now()))
        return super().changelist_view(request, {**(extra_context or {}), "standing": standing})

    @admin.display(description="due", ordering="due_at")
    def due(self, delivery: Delivery) -> str:
        is_open = delivery.status in (Delivery.Status.PENDING, Delivery.Status.SENDING)
        return _time(delivery.due_at) if is_open else ""

    @admin.display(description="delivered", ordering="delivered_at")
    def delivered(self, delivery: Delivery) -> str:
        return _time(delivery.delivered_at) if delivery.delivered_at else ""

    @admin.display(description="why not")
    def answer(self, delivery: Delivery) -> str:
        return "" if delivery.delivered_at else delivery.last_answer[:80]

    @admin.action(description="Send again, where dead", permissions=["change"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        ids = list(deliveries.values_list("signal__signal_id", flat=True))
        messages.success(request, f"{revive(utc_now(), signal_ids=ids)} deliveries queued again")
