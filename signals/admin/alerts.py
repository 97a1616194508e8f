"""The admin pages of alerts, with what became of each."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from argo.errors import ArgoError
from signals.admin import markup
from signals.admin.changelist import KeysetAdmin
from signals.admin.choices import one_of
from signals.admin.columns import column, price
from signals.admin.common import ActedOn, ReadOnly, who
from signals.alerts.again import read_again, resolve
from signals.clock import utc_now
from signals.models import Alert, AlertCursor, Sender, SignalContext


class OfSender(admin.SimpleListFilter):
    """Filters alerts by their sender."""

    title = parameter_name = "sender"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [(str(pk), name) for pk, name in Sender.objects.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        chosen = self.value()
        if chosen is None or chosen not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(sender_id=chosen)


@admin.register(Alert)
class AlertAdmin(ActedOn, KeysetAdmin[Alert]):
    """Lists what came and what became of it; unread alerts are read again here."""

    list_display = ("received", "sender", "status", "became", "symbol", "side", "at_price")
    list_select_related = ("sender",)
    list_filter = (
        one_of(
            "status", Alert.Status.choices, parameter="status__exact",
            few={name: Q(status=name) for name in ("unread", "waiting")},
        ),
        OfSender,
    )  # fmt: skip
    actions = ("read_again", "resolve")
    fields = (
        "received_at", "sender", "status", "symbol", "side", "price", "signal_id", "result",
        "reasons", "content_type", "raw",
    )  # fmt: skip
    readonly_fields = ("reasons", "raw")

    received = column("received", "received_at", markup.moment)
    at_price = column("price", "price", price)

    @admin.display(description="What became of it")
    def became(self, alert: Alert) -> SafeString | str:
        return what_became(alert)

    @admin.display
    def reasons(self, alert: Alert) -> str:
        return "; ".join(f"{each['field']}: {each['message']}" for each in alert.faults)

    @admin.display(description="Body")
    def raw(self, alert: Alert) -> SafeString:
        return format_html("<pre>{}</pre>", _raw(alert))

    @admin.action(description="Read again", permissions=["change"])
    def read_again(self, request: HttpRequest, alerts: QuerySet[Alert]) -> None:
        for alert in alerts.select_related("sender"):
            try:
                taken = read_again(alert, who=who(request), now=utc_now())
            except ArgoError as error:
                messages.error(request, f"{alert}: {error}")
            else:
                names = ", ".join([*taken.signals, *taken.exits])
                messages.success(request, f"{alert}: read as {names}")
                self.log_change(request, alert, "Read again")

    @admin.action(description="Mark as resolved", permissions=["change"])
    def resolve(self, request: HttpRequest, alerts: QuerySet[Alert]) -> None:
        for alert in alerts.filter(status=Alert.Status.UNREAD).select_related("sender"):
            resolve(alert, who=who(request), now=utc_now())
            self.log_change(request, alert, "Marked as resolved")


@admin.register(AlertCursor)
class AlertCursorAdmin(ReadOnly, admin.ModelAdmin[AlertCursor]):
    """Lists how far each machine's file of alerts is in the database."""

    list_display = ("journal", "segment", "byte")


def alert_url(alert: Alert) -> str:
    """Return the address of the alert's page."""
    return reverse("admin:signals_alert_change", args=[alert.pk])


def what_became(alert: Alert) -> SafeString | str:
    """Return the signal, what an exit has done, or why the alert could not be read."""
    if alert.signal_id:
        return markup.signal_link(alert.signal_id, alert.signal_id)
    faults = "; ".join(f"{each['field']}: {each['message']}" for each in alert.faults)
    return alert.result or faults or "waits"


def _raw(alert: Alert) -> str:
    """Return the body; that of a signal is in its journal line."""
    if alert.body or not alert.signal_id:
        return f"{alert.body} (base64)" if alert.is_base64 else alert.body
    found = SignalContext.objects.filter(signal__signal_id=alert.signal_id).first()
    return json.dumps(found.extra, indent=1) if found else ""
