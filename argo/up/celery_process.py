"""Runs a worker or beat, without the command line of Celery, which takes 15 MiB more.

python -m argo.up.celery_process worker --hostname NAME --queues QUEUE,QUEUE --threads COUNT
python -m argo.up.celery_process beat --hostname NAME
"""

import argparse
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "argo.settings")
os.environ["CELERY_SKIP_CHECKS"] = "1"  # `up` has run Django's checks, which load every page

import django

from argo.celery import app


def main(options: argparse.Namespace) -> int:
    """Run the process until it is asked to stop; return its exit code."""
    django.setup(set_prefix=False)
    if options.kind == "beat":
        app.Beat(hostname=options.hostname, remote_control=True, quiet=True).run()
        return 0
    worker = app.Worker(
        hostname=options.hostname,
        queues=options.queues,
        pool_cls="threads",
        concurrency=options.threads,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m argo.up.celery_process")
    kinds = parser.add_subparsers(dest="kind", required=True)
    worker, beat = kinds.add_parser("worker"), kinds.add_parser("beat")
    for kind in (worker, beat):
        kind.add_argument("--hostname", required=True)
    worker.add_argument("--queues", required=True)
    worker.add_argument("--threads", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main(_options()))
