"""The admin pages of senders: made, edited, tried and revoked."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from argo.errors import InvalidInput
from signals.admin import markup
from signals.admin.alerts import alert_url, what_became
from signals.admin.columns import column, time
from signals.admin.common import PlainAddresses, who
from signals.alerts.content import MAX_BYTES
from signals.alerts.mapping import presets
from signals.alerts.preview import preview, sentence
from signals.alerts.sender_checks import check_sender
from signals.alerts.senders import changed, paste_of, revoke_sender, save_with_token
from signals.alerts.terms import terms_of
from signals.clock import utc_now
from signals.models import Alert, Sender

EDITED = (
    "name", "preset", "mapping", "symbols", "confidence", "dedup_window", "max_lag",
    "expected_every", "in_market_hours", "needs_certificate",
)  # fmt: skip
SHOWN = 20
"""The latest alerts on a sender's page."""


class SenderForm(forms.ModelForm[Sender]):
    """Takes a sender's settings, and names every fault of its mapping."""

    preset = forms.ChoiceField(
        choices=lambda: [(name, each["title"]) for name, each in presets().items()],
        help_text="The mapping that its own one adds to",
    )
    name = forms.CharField(max_length=100)

    class Meta:
        model = Sender
        fields = EDITED

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("mapping", "symbols"):
            if name in cleaned and cleaned[name] is None:
                cleaned[name] = {}
        if not self.errors:
            given = {name: cleaned[name] for name in EDITED if name in cleaned}
            self._check(Sender(**({"name": self.instance.name} | given)))
        return cleaned

    def _check(self, sender: Sender) -> None:
        try:
            check_sender(sender)
        except InvalidInput as error:
            for fault in error.errors:
                name = fault.field.partition(".")[0]
                text = f"{fault.field}: {fault.message}" if fault.field != name else fault.message
                self.add_error(name if name in self.fields else None, ValidationError(text))


class TestForm(forms.Form):
    """Takes the text of an alert to try."""

    alert = forms.CharField(
        max_length=MAX_BYTES, strip=False, widget=forms.Textarea(attrs={"rows": 8})
    )


@admin.register(Sender)
class SenderAdmin(PlainAddresses, admin.ModelAdmin[Sender]):
    """Makes, edits and revokes senders; each address is shown once, when it is made."""

    form = SenderForm
    list_display = ("name", "preset", "heard", "late", "unread", "revoked")
    ordering = ("revoked_at", "name")
    fields = (*EDITED, "created_at", "heard_at", "late_since", "revoked_at", "paste", "latest")
    readonly_fields = ("created_at", "heard_at", "late_since", "revoked_at", "paste", "latest")
    actions = ("revoke",)

    heard = column("last heard", "heard_at", markup.moment)
    late = column("late since", "late_since", markup.moment)
    revoked = column("revoked", "revoked_at", time)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # its alerts and signals name it: revoke it

    def get_fields(self, request: HttpRequest, obj: Sender | None = None) -> Any:  # noqa: ANN401
        return EDITED if obj is None else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Sender | None = None) -> Any:  # noqa: ANN401
        return self.readonly_fields if obj is None else ("name", *self.readonly_fields)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_alert)
        return [path("<int:pk>/try/", view, name="signals_sender_try"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Sender, form: Any, change: bool) -> None:  # noqa: ANN401
        if not change:
            request.made_token = save_with_token(obj, who=who(request))  # type: ignore[attr-defined]
            return
        before = {name: form.initial.get(name) for name in form.changed_data}
        super().save_model(request, obj, form, change)
        changed(obj, before, who=who(request), at=utc_now())

    def response_add(
        self, request: HttpRequest, obj: Sender, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the address on this one page: a message would be kept until it is shown."""
        token = request.made_token  # type: ignore[attr-defined]
        context = self.admin_site.each_context(request) | {
            "title": f"The sender {obj} is made", "opts": self.opts, "sender": obj,
            "address": request.build_absolute_uri(f"/hooks/{token}"), "paste": paste_of(obj),
        }  # fmt: skip
        return TemplateResponse(request, "admin/signals/sender_made.html", context)

    def try_alert(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what Argo makes of an alert, and store nothing."""
        sender = self.get_object(request, str(pk))
        if sender is None:
            raise Http404
        if not self.has_view_permission(request, sender):
            raise PermissionDenied
        form = TestForm(request.POST or None)
        found = None
        if request.method == "POST" and form.is_valid():
            text = str(form.cleaned_data["alert"])
            found = preview(terms_of(sender), text.encode("utf-8", "replace"), utc_now())
        context = self.admin_site.each_context(request) | {
            "title": f"Try an alert of {sender}", "opts": self.opts, "sender": sender,
            "form": form, "found": found,
            "sentences": [sentence(order) for order in found["orders"]] if found else [],
        }  # fmt: skip
        return TemplateResponse(request, "admin/signals/try_alert.html", context)

    @admin.display(description="Text to paste")
    def paste(self, sender: Sender) -> SafeString:
        address = reverse("admin:signals_sender_try", args=[sender.pk])
        try:
            text = paste_of(sender)
        except InvalidInput as error:
            text = str(error)
        return format_html('<pre>{}</pre><a href="{}">Try an alert</a>', text, address)

    @admin.display(description="Unread")
    def unread(self, sender: Sender) -> int:
        return sender.alerts.filter(status=Alert.Status.UNREAD).count()

    @admin.display(description="Latest alerts")
    def latest(self, sender: Sender) -> SafeString:
        rows = sender.alerts.order_by("-pk")[:SHOWN]
        cells = [
            (markup.moment(row.received_at), alert_url(row), row.status, what_became(row))
            for row in rows
        ]
        return format_html_join("", '<p>{} <a href="{}">{}</a> {}</p>', cells)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, senders: QuerySet[Sender]) -> None:
        for sender in senders.filter(revoked_at=None):
            revoke_sender(sender.name, who=who(request))
            self.log_change(request, sender, "Revoked")
