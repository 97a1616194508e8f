"""Runs one benchmark in a process of its own: its figures on standard output, a JSON list each.

`python -m tests.benchmarks.run_one NAME [--quick]`, with ARGO_DATA_DIR a migrated folder.
"""

import argparse
import json

import django


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    django.setup()
    _run(options.name, options.quick)


def _run(name: str, quick: bool) -> None:
    from django.conf import settings

    from tests.benchmarks.registry import load
    from tests.benchmarks.workspace import Workspace

    for figure in load(name)(Workspace(settings.DATA_DIR, quick)):
        print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
