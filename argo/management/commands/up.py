"""`manage.py up`: run all of Argo in the foreground."""

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
        "Run Argo until Ctrl-C: the web server, the workers and beat. Checks the installation "
        "and migrates the database first."
    )
    requires_system_checks = ()  # `up` runs them itself, including those of the database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo",
            action="store_true",
            help="make signals from real bars and send them to a second Argo, which plays Alpine",
        )

    def run(self, options: dict[str, Any]) -> None:
        names = [OWN_NAME, *(spec.name for spec in specs())]
        names += [demo.NAME, demo_alpine.NAME] if options["demo"] else []
        output = Output(sys.stdout, names, coloured=wants_colour(sys.stdout))
        try:
            ended_cleanly = up(output, with_demo=options["demo"])
        except KeyboardInterrupt:
            self.fail("Stopped before it had started.")
        if not ended_cleanly:
            self.fail("Some processes had to be killed; nothing that was acknowledged is lost.")
