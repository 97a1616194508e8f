"""`python -m tests.nodes --rounds 500`: rounds of faults, each checked by an independent count."""

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.nodes import referee
from tests.nodes.faults import FAULTS, PARTITIONS, shuffled
from tests.nodes.play import play
from tests.nodes.senders import Notes
from tests.nodes.world import world

ALL = FAULTS | PARTITIONS


def main() -> None:
    """Play the rounds and print a line for each, and the sums."""
    parser = argparse.ArgumentParser(prog="python -m tests.nodes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=8, help="how many faults to play")
    parser.add_argument("--only", choices=[*ALL], help="play this fault alone")
    parser.add_argument(
        "--partitions", action="store_true",
        help="give each node a network of its own, and cut one, too; only root can",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the order of faults")
    options = parser.parse_args()
    random.seed(options.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))  # what it started ends, too
    print(f"seed {options.seed}")
    can_be_cut = options.partitions or options.only in PARTITIONS
    faults = ALL if can_be_cut else FAULTS
    names = [options.only] if options.only else [*faults]
    notes = Notes()
    with (
        tempfile.TemporaryDirectory(prefix="argo-nodes-") as folder,
        world(Path(folder), can_be_cut=can_be_cut) as here,
    ):
        for number, name in enumerate(shuffled(names, options.rounds), 1):
            began = time.monotonic()
            play(here, notes, ALL[name])
            print(
                f"{number:4} {name:16} {time.monotonic() - began:5.1f} s, "
                f"{len(notes.acknowledged):,} acknowledged, answers {notes.statuses}",
                flush=True,
            )
        referee.verify_nodes(here)
    print(f"{options.rounds} rounds: {len(notes.acknowledged):,} signals acknowledged; none lost, "
          "none twice, none traded twice")  # fmt: skip


if __name__ == "__main__":
    main()
