"""`manage.py up`: run all of Argo in the foreground."""

import sys
from argparse import SUPPRESS
from typing import Any

from django.core.management.base import CommandParser

from argo.up import demo, demo_alpine
from argo.up.child import Launch, execute
from argo.up.children import names as process_names
from argo.up.demo_record import start_again_with_record
from argo.up.detail import Detail
from argo.up.output import Output, wants_colour
from argo.up.preload import Preloaded
from argo.up.roles import MEANING, Roles, chosen
from argo.up.run import up
from argo.up.supervisor import OWN_NAME
from signals.management.command import ArgoCommand


class Command(ArgoCommand):
    help = (
        "Run Argo until Ctrl-C: the web server, the workers and beat. Checks the installation "
        "and migrates the database first. The roles of --roles are "
        + ", ".join(f"{name} ({what})" for name, what in MEANING.items())
        + "."
    )
    requires_system_checks = ()  # `up` runs them itself, including those of the database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo",
            action="store_true",
            help="make signals from real bars and send them to a second Argo, which plays Alpine",
        )
        parser.add_argument(
            "--roles",
            metavar="ROLE,ROLE",
            help="run only this part of Argo; other machines run the rest (default: everything)",
        )
        parser.add_argument(
            "--small",
            action="store_true",
            help="let roles share processes, which takes less memory",
        )
        detail = parser.add_mutually_exclusive_group()
        detail.set_defaults(detail=Detail.USUAL)
        detail.add_argument(
            "--verbose",
            action="store_const",
            const=Detail.ALL,
            dest="detail",
            help="print every line of every process, not only warnings and errors",
        )
        detail.add_argument(
            "--nested", action="store_const", const=Detail.LEAST, dest="detail", help=SUPPRESS
        )

    def run(self, options: dict[str, Any]) -> None:
        if options["demo"]:
            start_again_with_record(sys.orig_argv[1:])
        roles = chosen(options["roles"], is_small=options["small"])
        preloaded = Preloaded() if sys.platform == "linux" else None
        try:
            self._run(options, roles, preloaded.launch if preloaded else execute)
        finally:
            if preloaded:
                preloaded.close()

    def _run(self, options: dict[str, Any], roles: Roles, launch: Launch) -> None:
        names = [OWN_NAME, *process_names(roles)]
        names += [demo.NAME, demo_alpine.NAME] if options["demo"] else []
        output = Output(sys.stdout, names, coloured=wants_colour(sys.stdout))
        try:
            ended_cleanly = up(
                output, roles, launch, with_demo=options["demo"], detail=options["detail"]
            )
        except KeyboardInterrupt:
            self.fail("Stopped before it had started.")
        finally:
            output.finish()
        if not ended_cleanly:
            self.fail("Some processes had to be killed; nothing that was acknowledged is lost.")
