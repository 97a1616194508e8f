"""Has one command run by `tests/manual/forks.py`: `client.py SOCKET ARGUMENT...`.

It imports no more than it needs, so that it starts within milliseconds.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence

FORGET, SERVE = ["forget"], ["serve"]
"""Requests that are not commands of `manage.py`: end what was made for one page; serve HTTP."""


def ask(
    address: str, arguments: Sequence[str], environment: Mapping[str, str], folder: str
) -> socket.socket:
    """Ask for a command, with this process's standard streams. Its exit code comes as one byte."""
    request = {"arguments": arguments, "environment": dict(environment), "folder": folder}
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    socket.send_fds(connection, [json.dumps(request).encode()], [0, 1, 2])
    return connection


def main(address: str, arguments: Sequence[str]) -> int:
    """Return the command's exit code."""
    with ask(address, arguments, os.environ, os.getcwd()) as connection:
        code = connection.recv(1)
    return code[0] if code else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
