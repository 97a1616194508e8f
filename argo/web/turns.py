"""The turns in which requests get a thread: what takes long leaves room for what is quick."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext

from asgiref.typing import HTTPScope

from argo.web.limits import SPARE_BYTES

QUICK = {("POST", "/api/signals"), ("GET", "/api/health/ready")}
"""One signal, and a load balancer's question: each takes milliseconds."""
HOOKS = "/hooks/"
"""The beginning of the paths to which senders post alerts; an alert is as quick as a signal."""
WAITS = b"prefer"
"""The header of a sender who waits until a signal is stored."""


class Turns:
    """Lets at most `others` requests that may take long have a thread at the same time.

    So a client that sends hundreds of them does not keep a signal out.
    """

    def __init__(self, others: int) -> None:
        self._others = asyncio.Semaphore(others)

    def of(self, scope: HTTPScope, size: int) -> AbstractAsyncContextManager[object]:
        """Return the turn of a request whose body has `size` bytes: wait for it, then hold it."""
        return nullcontext() if _is_quick(scope, size) else self._others


def _is_quick(scope: HTTPScope, size: int) -> bool:
    is_short = size <= SPARE_BYTES and not any(name == WAITS for name, _ in scope["headers"])
    method, path = scope["method"], scope["path"]
    is_hook = method == "POST" and path.startswith(HOOKS)
    return is_short and (is_hook or (method, path) in QUICK)
