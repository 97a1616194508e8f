"""Messages to people."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from signals.constraints import known_values
from sync.models.queued import STATUSES, QueuedDelivery


class Notice(QueuedDelivery):
    """A message to one target of NOTIFY_URLS: a row from before the first try."""

    target = models.TextField(help_text="The first characters of the SHA-256 of its address")
    about = models.TextField(default="", help_text="What it tells: a problem's code, or an event")
    is_urgent = models.BooleanField(default=False, help_text="It is sent in quiet hours too")
    title = models.TextField()
    body = models.TextField()

    objects: "models.Manager[Notice]" = models.Manager()

    class Meta:
        db_table = "notices"
        constraints: ClassVar = [known_values("notices", status=STATUSES)]
        indexes: ClassVar = [
            # sync.courier: what waits for a target
            models.Index(
                fields=["target", "due_at"],
                condition=Q(status__in=["pending", "sending"]),
                name="notices_waiting",
            ),
            # sync.courier: when a target got its last message
            models.Index(fields=["target", "delivered_at"], name="notices_delivered"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.status})"
