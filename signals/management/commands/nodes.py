"""`manage.py nodes`: list the nodes, or retire one."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals import nodes
from signals.management.command import ArgoCommand
from signals.nodes import NodeView


class Command(ArgoCommand):
    help = (
        "List every node, a data folder that stores in this database, with its last heartbeat, its "
        "undrained lines and their oldest age. Or retire one that does not come back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--retire", metavar="NAME", help="retire the node with this name")
        parser.add_argument("--why", default="", help="the reason, which is kept")
        parser.add_argument(
            "--give-up", action="store_true",
            help="retire it although lines of its journal may be lost",
        )  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        if options["retire"] is not None:
            self._retire(options)
            return
        if options["why"] or options["give_up"]:
            raise InvalidInput([FieldError("--why, --give-up", "need --retire NAME")])
        views = nodes.listed()
        self.answer(options, {"nodes": [asdict(view) for view in views]}, _as_table(views))

    def _retire(self, options: dict[str, Any]) -> None:
        node = nodes.retire(options["retire"], options["why"], gives_up=options["give_up"])
        result = {"node": node.name, "identity": node.identity, "given_up": node.given_up}
        self.answer(options, {"retired": result}, f"The node {node} is retired.")


def _as_table(views: list[NodeView]) -> str:
    rows = [
        ("node", "state", "last heartbeat", "undrained", "oldest", "where"),
        *map(_row, views),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(view: NodeView) -> tuple[str, ...]:
    seen = f"{view.last_heartbeat:%Y-%m-%d %H:%M:%S}" if view.last_heartbeat else "never"
    oldest = "" if view.oldest_age is None else f"{view.oldest_age:.0f} s"
    where = f"{view.folder} on {view.host}" if view.folder else ""
    more = [
        "this node" if view.is_this else "",
        f"also {view.rival}" if view.rival else "",
        view.retired_why,
    ]
    note = "; ".join(filter(None, more))
    return (
        view.node, view.state, seen, str(view.undrained), oldest,
        f"{where} ({note})" if note else where,
    )  # fmt: skip
