"""`python -m tests.benchmarks.nodes_side COUNT FIRST`: drains so many signals when it is told to.

It prints the seconds of the processor's time that this process and its session's took.
"""

import sys
import time

import django
import psutil

django.setup()

from django.db import connection  # noqa: E402  # Django comes first

from signals.config import flusher, journal  # noqa: E402
from tests.benchmarks import samples  # noqa: E402


def main() -> None:
    """Fill the journal, wait for a line, drain, and print the seconds."""
    count, first = map(int, sys.argv[1:])
    samples.fill(journal(), count, first)
    server = _server()
    print("ready", flush=True)
    sys.stdin.readline()
    before = time.process_time() + _taken(server)
    stored = flusher().flush().stored
    if stored != count or _server() != server:
        raise SystemExit(f"{stored} of {count} stored in the session of {_server()}")
    print(time.process_time() + _taken(server) - before)


def _server() -> psutil.Process:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return psutil.Process(cursor.fetchone()[0])


def _taken(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
