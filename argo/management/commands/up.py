"""`manage.py up`: the whole of Argo in one foreground process."""

import sys
from typing import Any

from django.core.management.base import CommandParser

from argo.up import demo, demo_alpine
from argo.up.children import specs
from argo.up.output import Output, wants_colour
from argo.up.run import up
from argo.up.supervisor import OWN_NAME
from signals.management.command import ArgoCommand


class Command(ArgoCommand):
    help = (
        "Run Argo: the web server, the workers and beat, until Ctrl-C. Checks the installation "
        "and brings the database up to date first."
    )
    requires_system_checks = ()  # `up` runs them itself, with the database among them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo",
            action="store_true",
            help="fill it with the signals that real bars give; a second Argo plays Alpine",
        )

    def run(self, options: dict[str, Any]) -> None:
        names = [OWN_NAME, *(spec.name for spec in specs())]
        names += [demo.NAME, demo_alpine.NAME] if options["demo"] else []
        output = Output(sys.stdout, names, coloured=wants_colour(sys.stdout))
        try:
            in_peace = up(output, with_demo=options["demo"])
        except KeyboardInterrupt:
            self.fail("Stopped before it had started.")
        if not in_peace:
            self.fail("Some of its processes had to be killed; nothing acknowledged is lost.")
