"""Runs one benchmark in its own process and prints each figure as a JSON list.

`python -m tests.benchmarks.run_one NAME [--quick]`; ARGO_DATA_DIR must be a migrated folder.
"""

import argparse
import json

import django


def main() -> None:
    """Run the benchmark named on the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    django.setup()
    _run(options.name, options.quick)


def _run(name: str, quick: bool) -> None:
    # Imported here: these modules need Django to be set up.
    from django.conf import settings

    from tests.benchmarks.registry import load
    from tests.benchmarks.workspace import Workspace

    for figure in load(name)(Workspace(settings.DATA_DIR, quick)):
        print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
