"""The first start of an installation, with its real settings, in a process of its own.

`python -m tests.power_cuts.first_start SEED DISKS [SHARE]` exits with 1 if a promise was broken.
"""

import logging
import os
import sys

import django

from tests.power_cuts.cutting import Cutter
from tests.power_cuts.promises import Promises
from tests.power_cuts.recorder import Recorder
from tests.power_cuts.trace import HandedOut
from tests.power_cuts.world import IDENTITY, SECRET, World, a_world
from tests.samples import signals

PROMISES_NOTHING = ("broker", "logs", "metrics")
"""What Argo keeps in these folders may be lost."""


def main(seed: str, disks: str, share: str = "1") -> int:
    """Start Argo and log signals; print the report, and return 1 if a promise was broken."""
    with a_world() as world:
        with world.recording(ignored=PROMISES_NOTHING) as recorder:
            _start(world, recorder)
        logging.disable()
        report = Cutter(f"{seed} first start", int(disks), float(share)).cut(world, Promises())
    print(f"the first start, with its settings: {report}", *report.examples, sep="\n  ")
    return int(bool(report.broken) or not report.acknowledged)


def _start(world: World, recorder: Recorder) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "argo.settings"
    os.environ["ARGO_DATA_DIR"] = str(world.data)
    os.environ["DATABASE_URL"] = f"sqlite:///{world.after}/signals.db"  # not on this disk
    django.setup()
    # Imported here: these modules need Django to be set up.
    from django.conf import settings

    from signals import config
    from signals.tracker import SignalTracker

    recorder.tell(HandedOut(SECRET, settings.SECRET_KEY))
    tracker = SignalTracker(wakes_worker=False)
    for _ in range(3):
        tracker.accept(signals(2))
    recorder.tell(HandedOut(IDENTITY, config.journal().identity))
    for _ in config.journal().chunks():
        pass
    config.journal().close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
