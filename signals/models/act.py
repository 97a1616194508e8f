"""The log of what people and keys have changed."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from signals.constraints import known_values


class Act(models.Model):
    """One act of a person or an API key that changed something, or a login; see `signals.acts`."""

    at = models.DateTimeField()
    kind = models.TextField(help_text="One of signals.acts.Kind")
    who = models.TextField(help_text="admin:USER, api:KEY, or who a command names")
    about = models.TextField(help_text="What was changed")
    signal_id = models.TextField(help_text="The signal that it is about; empty if it is none")
    before = models.TextField()
    after = models.TextField()
    why = models.TextField()
    request = models.TextField(
        default="", help_text="Of a POST with an Idempotency-Key; see `argo.idempotency`"
    )

    may_change: ClassVar = frozenset[str]()

    class Meta:
        db_table = "acts"
        constraints: ClassVar = [
            known_values(
                "acts",
                kind=[
                    "outcome", "halt", "lift", "execute", "cancel", "close", "settle", "retry",
                    "resolve", "account", "price", "key", "node", "schedule", "user", "login",
                    "login failed", "logout", "other",
                ],
            )
        ]  # fmt: skip
        indexes: ClassVar = [
            # signals.acts.page: where a time begins; every other filter walks a bounded stretch
            models.Index(fields=["at", "id"], name="acts_time"),
            # signals.acts.ClaimedRequest.has_acted
            models.Index(fields=["request"], condition=~Q(request=""), name="acts_request"),
        ]

    def __str__(self) -> str:
        return f"{self.who} at {self.at}: {self.kind} {self.about}"
