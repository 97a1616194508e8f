"""Nodes: the data folders, each with its journal, that store in one database."""

from signals.nodes.adoption import Adoption, adopt
from signals.nodes.claims import claim, release, reset
from signals.nodes.listing import NodeView, State, find, listed
from signals.nodes.reporting import report
from signals.nodes.retirement import retire

__all__ = [
    "Adoption",
    "NodeView",
    "State",
    "adopt",
    "claim",
    "find",
    "listed",
    "release",
    "report",
    "reset",
    "retire",
]
