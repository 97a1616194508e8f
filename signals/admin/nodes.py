"""The admin page of nodes."""

from django.contrib import admin

from signals.admin.common import ReadOnly
from signals.dialect import database_now
from signals.models import Node
from signals.nodes.listing import state_of


@admin.register(Node)
class NodeAdmin(ReadOnly, admin.ModelAdmin[Node]):
    """Lists the nodes; `manage.py nodes` retires one."""

    list_display = (
        "name", "state", "host", "folder", "seen_at", "undrained", "oldest_at", "retired_at",
        "retired_why",
    )  # fmt: skip
    exclude = ("place",)
    ordering = ("retired_at", "host", "pk")

    @admin.display(description="State")
    def state(self, node: Node) -> str:
        return state_of(node, database_now())
