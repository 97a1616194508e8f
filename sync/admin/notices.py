"""The admin pages of messages to people and of circuit breakers: for looking only."""

from django.contrib import admin

from signals.admin import markup
from signals.admin.changelist import KeysetAdmin
from signals.admin.choices import one_of
from signals.admin.columns import column, time
from signals.admin.common import ReadOnly
from sync.models import Breaker, Notice


@admin.register(Notice)
class NoticeAdmin(ReadOnly, KeysetAdmin[Notice]):
    """Lists what was sent to the targets of NOTIFY_URLS, or waits."""

    list_display = ("title", "about", "status", "attempts", "queued", "delivered", "last_answer")
    list_filter = (one_of("status", Notice.Status.choices, parameter="status__exact", few={}),)
    exclude = ("claim",)

    queued = column("queued", "queued_at", markup.moment)
    delivered = column("delivered", "delivered_at", time)


@admin.register(Breaker)
class BreakerAdmin(ReadOnly, admin.ModelAdmin[Breaker]):
    """Lists the breakers that have counted a failure: of Alpine, and of subscriptions."""

    list_display = ("target", "failures", "opened", "probe", "reason")
    exclude = ("refused_key",)

    opened = column("opened", "opened_at", time)
    probe = column("next probe", "probe_at", time)
