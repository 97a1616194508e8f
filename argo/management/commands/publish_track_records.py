"""`manage.py publish_track_records`: publish the track records of RECORD_STRATEGIES."""

from typing import Any

from argo.track_record import failure
from argo.track_record.page import headline
from argo.track_record.publication import publish
from argo.track_record.published import Published, folder
from signals.clock import utc_now
from signals.management.command import ArgoCommand


class Command(ArgoCommand):
    help = (
        "Make a bundle of the public record that shows the signals of RECORD_STRATEGIES, verify "
        "it, and publish the track records that come of it at /record/. Beat does so once a day."
    )

    def run(self, options: dict[str, Any]) -> None:
        made = publish(utc_now())
        failure.clear()
        self.answer(options, made._asdict(), _text(made))
        if not all(record["accepted"] for record in made.records.values()):
            self.fail("The bundle is not accepted: the pages say so, and name every fault.")


def _text(made: Published) -> str:
    lines = [f"{name}: {headline(record)}" for name, record in made.records.items()]
    return "\n".join([*lines, f"The bundle is {folder() / made.bundle}"])
