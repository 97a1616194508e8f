"""Sends events in a worker's process, with a short lease; if it is killed, in another one.

It prints the id of each process, and ends with its standard input.
"""

import multiprocessing
import os
import threading
import time
from datetime import timedelta

import django

LEASE = timedelta(seconds=1)


def main() -> None:
    django.setup()
    from sync.webhooks.dispatcher import Dispatcher

    def send() -> None:
        while True:
            Dispatcher(lease=LEASE).run()
            time.sleep(0.05)

    threading.Thread(target=end_with_input, daemon=True).start()
    while True:
        worker = multiprocessing.get_context("fork").Process(target=send)
        worker.start()
        print(worker.pid, flush=True)
        worker.join()


def end_with_input() -> None:
    os.read(0, 1)  # not `sys.stdin.read`, whose lock a forked child would wait for
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(0)


if __name__ == "__main__":
    main()
