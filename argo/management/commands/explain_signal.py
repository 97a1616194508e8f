"""`manage.py explain_signal`: one signal's whole story."""

from typing import Any

from django.core.management.base import CommandParser

from argo.reports.explain.story import explain
from argo.reports.explain.text import story_text
from signals.management.command import ArgoCommand


class Command(ArgoCommand):
    help = (
        "Print one signal's whole story: how it was made, with the bars and votes seen and each "
        "gate's numbers, how it was stored and sent, why it was traded or not, its orders, fills "
        "and outcome, every change, and a chart."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("signal_id", metavar="ID", help="the signal's id")

    def run(self, options: dict[str, Any]) -> None:
        story = explain(options["signal_id"])
        self.answer(options, story.model_dump(), story_text(story))
