"""`python -m tests.nodes --rounds 500`: rounds of faults, each checked by an independent count."""

import argparse
import random
import tempfile
import time
from pathlib import Path

from tests.nodes import referee
from tests.nodes.faults import FAULTS, settle, shuffled
from tests.nodes.senders import Notes, sending
from tests.nodes.world import World, world


def main() -> None:
    """Play the rounds and print a line for each, and the sums."""
    parser = argparse.ArgumentParser(prog="python -m tests.nodes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=8, help="how many faults to play")
    parser.add_argument("--only", choices=[*FAULTS], help="play this fault alone")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the order of faults")
    options = parser.parse_args()
    random.seed(options.seed)
    print(f"seed {options.seed}")
    names = [options.only] if options.only else [*FAULTS]
    notes = Notes()
    with tempfile.TemporaryDirectory(prefix="argo-nodes-") as folder, world(Path(folder)) as here:
        for number, name in enumerate(shuffled(names, options.rounds), 1):
            began = time.monotonic()
            play(here, notes, name)
            print(
                f"{number:4} {name:16} {time.monotonic() - began:5.1f} s, "
                f"{len(notes.acknowledged):,} acknowledged, answers {notes.statuses}",
                flush=True,
            )
        referee.verify_nodes(here)
    print(f"{options.rounds} rounds: {len(notes.acknowledged):,} signals acknowledged; none lost, "
          "none twice, none traded twice")  # fmt: skip


def play(here: World, notes: Notes, name: str) -> None:
    """Send signals, let something go wrong, wait until all is well, and count."""
    with sending(here, notes):
        time.sleep(random.uniform(0.2, 1.0))
        FAULTS[name](here)
        here.wait_until_ready()
        settle(here.servers)
        time.sleep(0.5)
    referee.check(here, notes)


if __name__ == "__main__":
    main()
