"""`manage.py notify`: test the messages to people."""

from typing import Any

from django.core.management.base import CommandParser

from argo.errors import FieldError, InvalidInput
from signals.management.command import ArgoCommand
from sync.notify import cut
from sync.targets import NotSent, send, targets
from sync.wording import TemplateBroken, rendered, template_for

TITLE = "A test of Argo's messages"
BODY = "If you can read this, messages of this kind arrive."


class Command(ArgoCommand):
    help = (
        "Send a test message to every address of NOTIFY_URLS now, in quiet hours too. Exits with 1 "
        "if one does not take it, or if the template is broken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--test", nargs="?", const="test", required=True, metavar="KIND",
            help="send a message; with a KIND, such as execution.halted or halt.set, as the "
            "template of this kind words it",
        )  # fmt: skip

    def run(self, options: dict[str, Any]) -> None:
        if not (found := targets()):
            raise InvalidInput([FieldError("NOTIFY_URLS", "is empty, so nobody is told")])
        path = template_for(options["test"])
        title, body = self._worded(options["test"])
        results = {name: _result(url, title, body) for name, url in found.items()}
        lines = [f"{name}: {result}" for name, result in results.items()]
        shown = {"template": path and path.name, "title": title, "targets": results}
        template = f"template: {path.name}" if path else "no template of your own"
        self.answer(options, shown, "\n".join([template, *lines]))
        if any(result != "sent" for result in results.values()):
            self.fail("A target did not take the message. Its name is the start of the SHA-256 "
                      "of its address.")  # fmt: skip

    def _worded(self, about: str) -> tuple[str, str]:
        """Return the message. A broken template ends the test: nothing is sent."""
        try:
            title, body = rendered(about, TITLE, BODY, {})
        except TemplateBroken as error:
            self.fail(str(error))
        return cut(title, body)


def _result(url: str, title: str, body: str) -> str:
    try:
        send(url, title, body or title)
    except NotSent as error:
        return str(error)
    return "sent"
