"""Looks up the hashes of stored signals within a limited time, whatever the database does."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import orjson
from django.db import Error as DatabaseError
from django.db import connections

from signals.ledger.in_time import LOOK_UPS, NoAnswer
from signals.ledger.inserts import stored_hashes

logger = logging.getLogger(__name__)

WAIT = 0.1
"""Seconds that a look-up may take."""


_FROM_A_FILE = (
    "SELECT signal_id, sha256 FROM signals WHERE signal_id IN (SELECT value FROM json_each(?))"
)


def hashes_in_time(using: str, signal_ids: Sequence[str]) -> dict[str, str]:
    """Return `sha256` by `signal_id` of what is stored; nothing if the database does not answer.

    Inside a transaction it is asked directly: only its own connection sees what it has inserted.
    A file is asked on the caller's thread, by a connection that only reads: to change threads, or
    to lease a connection, would cost several times what the answer does.
    """
    if not signal_ids:
        return {}
    connection: Any = connections[using]
    try:
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            return dict(connection.read(_FROM_A_FILE, [orjson.dumps(list(signal_ids)).decode()]))
        ids = list(signal_ids)
        return LOOK_UPS.within(WAIT, using, lambda: stored_hashes(using, ids))
    except (NoAnswer, DatabaseError) as error:
        return _unanswered(error)


async def hashes_in_time_async(using: str, signal_ids: Sequence[str]) -> dict[str, str]:
    """Do the same as `hashes_in_time`, from a coroutine."""
    if not signal_ids:
        return {}
    try:
        answer = LOOK_UPS.submit(using, lambda: stored_hashes(using, list(signal_ids)))
        return await asyncio.wait_for(asyncio.wrap_future(answer), WAIT)
    except (NoAnswer, DatabaseError, TimeoutError) as error:
        return _unanswered(error)


def _unanswered(error: Exception) -> dict[str, str]:
    logger.debug("Ids are not looked up, because the database does not answer: %s", error)
    return {}
