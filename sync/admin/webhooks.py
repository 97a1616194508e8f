"""The admin pages of subscriptions, which only administrators see, and of their events."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from argo.errors import ArgoError, InvalidInput
from signals.admin import markup
from signals.admin.changelist import KeysetAdmin
from signals.admin.choices import one_of
from signals.admin.columns import column, time
from signals.admin.common import ActedOn, who
from signals.clock import utc_now
from signals.events import EventType
from signals.keyset import scanned_page
from sync.models import DEAD_EVENTS, EventDelivery, Subscription
from sync.webhooks import retrying, subscriptions
from sync.webhooks.signing import public_key
from sync.webhooks.status import status_of

STATES = {"active": "good", "ended": "bad"}
STATUSES = {"delivered": "good", "dead": "bad"}
"""The colours."""
SHOWN, SHORT = 20, 80
"""Events on a subscription's page, and characters of an answer."""


class OfSubscription(admin.SimpleListFilter):
    """Filters events by their subscription."""

    title = parameter_name = "subscription"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [(str(pk), name) for pk, name in Subscription.objects.values_list("pk", "name")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[EventDelivery]
    ) -> QuerySet[EventDelivery]:
        chosen = self.value()
        if chosen is None or chosen not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(subscription_id=chosen)


class SubscriptionForm(forms.Form):
    """A new subscription."""

    name = forms.CharField(max_length=subscriptions.LONGEST_NAME)
    url = forms.CharField(label="Address", max_length=2000, help_text="https://HOST/PATH")
    types = forms.MultipleChoiceField(
        choices=[(kind.value, kind.value) for kind in EventType],
        widget=forms.CheckboxSelectMultiple,
        label="Events",
    )


@admin.register(Subscription)
class SubscriptionAdmin(ActedOn, admin.ModelAdmin[Subscription]):
    """Lists, makes, tests, revokes and enables subscriptions; shows no secret but a new one."""

    list_display = ("name", "shown_state", "wanted", "url", "waits", "dead", "made_by", "made")
    fields = (
        "name", "url", "wanted", "shown_state", "reason", "waits", "dead", "made_by", "made_at",
        "changed_at", "old_secret_until", "latest",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("test", "revoke", "enable", "rotate_secret", "send_again")

    made = column("made", "made_at", time)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.create)
        return [path("create/", view, name="sync_subscription_create"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401
        own = {"public_key": public_key(), "may_create": self.has_change_permission(request)}
        return super().changelist_view(request, {**(extra_context or {}), **own})

    def create(self, request: HttpRequest) -> TemplateResponse | HttpResponseRedirect:
        """Ask for a new subscription; make it, and show its secret once."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = SubscriptionForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._make(request, form):
            return HttpResponseRedirect(reverse("admin:sync_subscription_changelist"))
        context = self.admin_site.each_context(request)
        context |= {"form": form, "opts": self.opts, "title": "New subscription"}
        return TemplateResponse(request, "admin/sync/subscription/create.html", context)

    def _make(self, request: HttpRequest, form: SubscriptionForm) -> bool:
        """Make it; return False, with the faults in the form, if it is refused."""
        try:
            made = subscriptions.create(**form.cleaned_data, now=utc_now(), who=who(request))
        except InvalidInput as error:
            for fault in error.errors:
                form.add_error(fault.field, fault.message)
            return False
        except ArgoError as error:
            form.add_error(None, str(error))
            return False
        self.log_change(request, made, "Made")
        _show_secret(request, made.name, made.secret)
        return True

    @admin.display(description="state")
    def shown_state(self, row: Subscription) -> str:
        return markup.tag(row.state, STATES.get(row.state, ""))

    @admin.display(description="events")
    def wanted(self, row: Subscription) -> str:
        return ", ".join(map(str, row.types))

    @admin.display(description="waiting")
    def waits(self, row: Subscription) -> int:
        return status_of(row, utc_now()).pending

    @admin.display(description="dead")
    def dead(self, row: Subscription) -> int:
        return status_of(row, utc_now()).dead

    @admin.display(description="Latest events")
    def latest(self, row: Subscription) -> SafeString:
        """Return the newest events; a subscription that gets few may have older ones."""
        events = scanned_page(EventDelivery.objects.filter(subscription=row), SHOWN, None).rows
        cells = [
            (
                markup.moment(each.queued_at),
                reverse("admin:sync_eventdelivery_change", args=[each.pk]),
                each.type,
                markup.tag(each.status, STATUSES.get(each.status, "")),
                "" if each.delivered_at else each.last_answer[:SHORT],
            )
            for each in events
        ]
        return format_html_join("", '<p>{} <a href="{}">{}</a> {} {}</p>', cells)

    @admin.action(description="Send a test event", permissions=["change"])
    def test(self, request: HttpRequest, rows: QuerySet[Subscription]) -> None:
        for row in rows:
            tested = retrying.send_test(row)
            level = messages.SUCCESS if tested.accepted else messages.ERROR
            answer = f"{tested.status or 'no answer'} {tested.answer[:200]}"
            messages.add_message(request, level, f"{row}: {answer}")

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, rows: QuerySet[Subscription]) -> None:
        for row in rows.filter(state="active"):
            subscriptions.revoke(row, "", now=utc_now(), who=who(request))
            self.log_change(request, row, "Revoked")

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, rows: QuerySet[Subscription]) -> None:
        for row in rows.exclude(state="active"):
            subscriptions.enable(row, now=utc_now(), who=who(request))
            self.log_change(request, row, "Enabled")

    @admin.action(description="Make a new secret", permissions=["change"])
    def rotate_secret(self, request: HttpRequest, rows: QuerySet[Subscription]) -> None:
        for row in rows:
            secret = subscriptions.rotate_secret(row, now=utc_now(), who=who(request))
            self.log_change(request, row, "Got a new secret")
            _show_secret(request, row.name, secret)

    @admin.action(description="Send dead events again", permissions=["change"])
    def send_again(self, request: HttpRequest, rows: QuerySet[Subscription]) -> None:
        queued = sum(
            retrying.retry_dead(utc_now(), subscription=row, who=who(request)) for row in rows
        )
        messages.success(request, f"{queued} events queued again")


def _show_secret(request: HttpRequest, name: str, secret: str) -> None:
    text = f"The secret of {name}: {secret}. Keep it: it cannot be shown again."
    messages.warning(request, text)


@admin.register(EventDelivery)
class EventDeliveryAdmin(ActedOn, KeysetAdmin[EventDelivery]):
    """Lists the events that were queued for subscriptions, and sends dead ones again."""

    list_display = (
        "event_id", "type", "subscription", "shown_status", "attempts", "last_status", "answer",
        "queued", "delivered",
    )  # fmt: skip
    list_select_related = ("subscription",)
    list_filter = (
        one_of("type", [kind.value for kind in EventType]),
        one_of("status", EventDelivery.Status.choices, walked={"dead": DEAD_EVENTS}),
        OfSubscription,
    )
    exclude = ("claim",)
    actions = ("send_again",)

    queued = column("queued", "queued_at", time)
    delivered = column("delivered", "delivered_at", time)

    @admin.display(description="status")
    def shown_status(self, row: EventDelivery) -> str:
        return markup.tag(row.status, STATUSES.get(row.status, ""))

    @admin.display(description="last error")
    def answer(self, row: EventDelivery) -> str:
        return "" if row.delivered_at else row.last_answer[:SHORT]

    @admin.action(description="Send dead events again", permissions=["change"])
    def send_again(self, request: HttpRequest, rows: QuerySet[EventDelivery]) -> None:
        ids = list(rows.order_by().values_list("pk", flat=True))
        queued = retrying.retry_dead(utc_now(), ids=ids, who=who(request))
        messages.success(request, f"{queued} events queued again")
