"""Logs, stores and sequences signals in an installation: `feeder.py COUNT`."""

import sys
import time

import django


def main(count: int, batch: int = 250) -> None:
    """Log `count` signals, a batch at a time, each with its outcome for every tenth."""
    django.setup()
    from signals import config
    from signals.tracker import SignalTracker
    from tests.samples import signals

    tracker, flusher = SignalTracker("python"), config.flusher_of(config.journal())
    for _ in range(0, count, batch):
        tracker.accept(signals(batch))
        flusher.flush()
        config.sequencer().assign()
        time.sleep(0.02)


if __name__ == "__main__":
    main(int(sys.argv[1]))
