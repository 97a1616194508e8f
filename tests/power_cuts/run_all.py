"""Tries everything: `python -m tests.power_cuts.run_all SEED ACKNOWLEDGEMENTS DISKS`.

ARGO_DATA_DIR must be a migrated folder.
"""

import logging
import sys
import time

import django


def main(seed: str, acknowledgements: int, disks: int) -> int:
    """Print a report of each scenario and of all; return 1 if a promise was broken."""
    django.setup()
    logging.disable()  # a file that is taken away is an error
    # Imported here: these modules need Django to be set up.
    from tests.power_cuts.cutting import Cutter, Report
    from tests.power_cuts.scenarios import STORIES, lives
    from tests.power_cuts.storing import adoptions, stored

    cutter, total = Cutter(seed, disks), Report()
    scenarios = {story.name: story.tell for story in STORIES} | {
        "a lost node is adopted": adoptions,
        "machines with several lives": lambda cutter: lives(cutter, acknowledgements, stored),
    }
    began = time.monotonic()
    for name, scenario in scenarios.items():
        report = scenario(cutter)
        print(f"{name}: {report}", flush=True)
        total += report
    print(f"In all: {total}", *total.examples, sep="\n  ")
    print(f"{time.monotonic() - began:.0f} seconds, with the seed {seed}")
    return int(bool(total.broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
