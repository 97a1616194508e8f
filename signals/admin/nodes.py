"""The admin page of nodes."""

from django.contrib import admin

from signals.admin.columns import column, time
from signals.admin.common import ReadOnly
from signals.dialect import database_now
from signals.models import Node
from signals.nodes.listing import state_of


@admin.register(Node)
class NodeAdmin(ReadOnly, admin.ModelAdmin[Node]):
    """Lists the nodes; `manage.py nodes` retires one."""

    list_display = (
        "name", "state", "host", "folder", "seen", "undrained", "oldest", "retired",
        "retired_why",
    )  # fmt: skip
    exclude = ("place",)
    ordering = ("retired_at", "host", "pk")

    seen = column("seen", "seen_at", time)
    oldest = column("oldest line", "oldest_at", time)
    retired = column("retired", "retired_at", time)

    @admin.display(description="State")
    def state(self, node: Node) -> str:
        return state_of(node, database_now())
