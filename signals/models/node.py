"""The nodes: the data folders that store in this database."""

from django.db import models


class Node(models.Model):
    """A data folder with its journal, as its processes last reported it.

    Times are the database's (`signals.dialect.database_now`). A node is claimed by one folder,
    `place`; a second living folder with the same identity is its rival.
    """

    identity = models.TextField(unique=True, help_text="The identity of its journal")
    host = models.TextField(default="", blank=True)
    folder = models.TextField(default="", blank=True, help_text="The data folder on that host")
    place = models.TextField(
        default="", blank=True, help_text="Tells the folder from its copies; empty if it is stopped"
    )
    seen_at = models.DateTimeField(null=True, blank=True, help_text="The last heartbeat")
    undrained = models.BigIntegerField(
        default=0, help_text="Lines of its journal that were not in the database then"
    )
    oldest_at = models.DateTimeField(
        null=True, blank=True, help_text="When the first of these lines was received"
    )
    is_drained = models.BooleanField(
        default=False, help_text="It was stopped, or adopted, with every line in the database"
    )
    adopted_at = models.DateTimeField(null=True, blank=True)
    rival = models.TextField(
        default="", blank=True, help_text="Another living folder with the same identity"
    )
    rival_seen_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_why = models.TextField(default="", blank=True)
    given_up = models.BigIntegerField(
        null=True, blank=True, help_text="Undrained lines, as last reported, that were given up"
    )

    class Meta:
        db_table = "nodes"

    def __str__(self) -> str:
        return f"{self.name} on {self.host or 'an unknown machine'}"

    @property
    def name(self) -> str:
        """Return the short name, as in each line of the log."""
        return self.identity[:8]
