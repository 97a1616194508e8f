"""`manage.py verify_signals`: check that nothing was altered, lost or inserted."""

from typing import Any

from signals.management.verifying import VerifyingCommand


class Command(VerifyingCommand):
    help = (
        "Check every stored hash, and compare database and journal, both ways, and the public "
        "record with both. Name each signal that was altered, is missing, or is unknown to the "
        "journal, and each entry that does not agree; then exit with 1."
    )

    def run(self, options: dict[str, Any]) -> None:
        if dead := self.answer_verified(options):
            self.fail(f"{dead} dead letters are not resolved: see the admin site")
