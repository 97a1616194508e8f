"""Real Python processes that write to, read from and bind queues in one broker folder."""

import select
import subprocess
import sys
from pathlib import Path

PATIENCE = 60.0
"""Seconds until a test gives up on a slow machine; a test that passes never waits that long."""

OPEN = """
import json, sys, time
from kombu import Connection, Exchange, Queue
folder = sys.argv[1]
connection = Connection(
    transport="argo.broker:Transport",
    transport_options={"data_folder_in": folder, "data_folder_out": folder,
                       "control_folder": folder + "/control", "polling_interval": 0.01},
)
channel = connection.channel()
"""
WRITER = """
writer, count, pause = sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
producer = connection.Producer(channel)
for number in range(count):
    body = {"writer": writer, "number": number, "pad": "x" * 3000}
    producer.publish(body, routing_key="work")
    time.sleep(pause)
"""
READER = """
seconds_of_silence = float(sys.argv[2])
last = time.monotonic()
while time.monotonic() - last < seconds_of_silence:
    message = channel.basic_get("work", no_ack=True)
    if message is None:
        time.sleep(0.01)
        continue
    last = time.monotonic()
    body = message.decode()
    print(body["writer"], body["number"], flush=True)
"""
BINDER = """
exchange = Exchange("news", type="fanout", durable=False)
queue = Queue(sys.argv[2], exchange, durable=False)
def show(body, message):
    print(json.dumps(body), flush=True)
    message.ack()
with connection.Consumer([queue], callbacks=[show], channel=channel):
    print("ready", flush=True)
    while True:
        connection.drain_events()
"""


class Processes:
    """Real Python processes on one broker folder; they end with the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []

    def start(self, code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", OPEN + code, str(self.folder), *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()


def read_line(process: subprocess.Popen[str]) -> str:
    """Return the next line that `process` prints."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], PATIENCE)[0], "no line came in time"
    return process.stdout.readline()
