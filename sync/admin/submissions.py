"""The admin page of what the public record sends to witnesses and authorities: for looking only."""

from django.contrib import admin

from signals.admin import markup
from signals.admin.changelist import KeysetAdmin
from signals.admin.choices import one_of
from signals.admin.columns import column, time
from signals.admin.common import ReadOnly
from sync.models import RecordSubmission

STATES = {
    RecordSubmission.Status.DELIVERED: "good",
    RecordSubmission.Status.DEAD: "bad",
}


@admin.register(RecordSubmission)
class RecordSubmissionAdmin(ReadOnly, KeysetAdmin[RecordSubmission]):
    """Lists the checkpoints that were sent to witnesses and time stamp authorities, or wait."""

    list_display = (
        "target", "kind", "size", "state", "attempts", "last_status", "last_answer", "queued",
        "next_try", "delivered",
    )  # fmt: skip
    list_filter = (
        one_of("kind", RecordSubmission.Kind.choices),
        one_of("status", RecordSubmission.Status.choices, parameter="status__exact"),
    )
    exclude = ("claim",)

    queued = column("queued", "queued_at", time)
    delivered = column("delivered", "delivered_at", time)

    @admin.display(description="status")
    def state(self, row: RecordSubmission) -> str:
        return markup.tag(row.status, STATES.get(RecordSubmission.Status(row.status), ""))

    @admin.display(description="next try")
    def next_try(self, row: RecordSubmission) -> str:
        is_open = row.status == RecordSubmission.Status.PENDING
        return markup.moment(row.due_at) if is_open else ""
