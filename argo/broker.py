"""Celery's broker in a folder: kombu's filesystem transport, made safe for many processes.

A message is a file that appears whole, by a rename, and belongs to the process that unlinks it. The
folder may be deleted while Argo runs: it is created again, and only the messages are lost.
"""

import fcntl
import itertools
import os
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Empty
from typing import Any, TypeVar, cast

from kombu.exceptions import ChannelError
from kombu.log import get_logger
from kombu.transport import filesystem
from kombu.transport.filesystem import exchange_queue_t
from kombu.transport.virtual.base import binding_key_t
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

from signals.files import make_folder, private

T = TypeVar("T")
Table = list[exchange_queue_t]
Signature = tuple[int, int]
logger = get_logger(__name__)

SECOND = 10**9
"""Nanoseconds in a second."""

_serial = itertools.count()


class Channel(filesystem.Channel):
    """Puts and gets messages in `data_folder_in`; knows which queue is bound to which exchange.

    Messages that one process puts on a queue are got in the same order.
    """

    clock: Callable[[], int] = staticmethod(time.time_ns)

    def __init__(self, connection: filesystem.Transport, **kwargs: object) -> None:
        super().__init__(connection, **kwargs)
        self._listed: dict[str, deque[str]] = {}
        self._tables_seen: dict[str, Signature | None] = {}

    @property
    def _folder(self) -> Path:
        return Path(self.data_folder_in)

    # --- Messages ----------------------------------------------------------------------------
    def _put(  # type: ignore[override]  # its two bases disagree on the name of the second
        self, queue: str, payload: dict[str, Any], **kwargs: object
    ) -> None:
        """Put a message on `queue`.

        Raises:
            ChannelError: the message could not be written, for example because the disk is full.
        """
        name = f"{self.clock():020d}_{next(_serial):012d}_{uuid.uuid4().hex}.{queue}.msg"
        write = partial(_write_whole, self._folder / name, str_to_bytes(dumps(payload)))
        try:
            _with_folder(self._folder, write)
        except OSError as error:
            raise ChannelError(f"Cannot put a message into {self._folder}: {error}") from error

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        """Return the next message on `queue`.

        Raises:
            Empty: there is no message.
        """
        names = self._listed.get(queue) or self._list(queue)
        while names:
            payload = self._take(names.popleft())
            if payload is not None:
                return payload
        raise Empty

    def _list(self, queue: str) -> deque[str]:
        """List the messages on `queue` again, oldest first.

        A listing can miss a file that appears while it runs and still contain a younger one.
        Therefore messages put since the listing began are left for the next one. Names more than
        a second ahead are not left out: a clock that was set back must not hide messages.
        """
        self._keep_bindings()
        now = self.clock()
        begun, bound = f"{now:020d}", f"{now + SECOND:020d}"
        names = (name for name in self._names(queue) if not begun <= name < bound)
        self._listed[queue] = deque(sorted(names))
        return self._listed[queue]

    def _take(self, name: str) -> dict[str, Any] | None:
        """Return the message in the file `name`; None if another process has it, or it is torn."""
        path = self._folder / name
        try:
            content = path.read_bytes()
            path.unlink()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ChannelError(f"Cannot get the message {path}: {error}") from error
        return _decode(name, content)

    def _names(self, queue: str) -> list[str]:
        names = _with_folder(self._folder, partial(os.listdir, self._folder))
        return [name for name in names if name.partition(".")[2] == f"{queue}.msg"]

    def _size(self, queue: str) -> int:
        """Return the number of messages on `queue`."""
        return len(self._names(queue))

    def _purge(self, queue: str) -> int:
        """Delete the messages on `queue`, and return how many there were."""
        names = self._names(queue)
        for name in names:
            (self._folder / name).unlink(missing_ok=True)
        return len(names)

    # --- Bindings ----------------------------------------------------------------------------
    def get_table(self, exchange: str) -> Table:  # type: ignore[override]  # stubs disagree
        """Return the bindings of `exchange`: those stored by all processes, and this process's
        own even if the stored table is gone."""
        stored = _read_table(self._table_file(exchange))
        return _merged(self._own_tables().get(exchange, []), stored)

    def _queue_bind(
        self, exchange: str, routing_key: str, pattern: str | None, queue: str | None
    ) -> None:
        self._store_rows(exchange, [_row(routing_key, pattern, queue)])

    def _delete(
        self,
        queue: str,
        exchange: str,
        routing_key: str,
        pattern: str | None,
        *args: object,
        **kwargs: object,
    ) -> None:
        self._purge(queue)
        row = _row(routing_key, pattern, queue)
        self._edit_table(exchange, lambda table: [other for other in table if other != row])

    def _keep_bindings(self) -> None:
        """Store this process's bindings again if someone deleted or replaced the table.

        The table from before the edit is remembered as seen, so that the next call checks the
        result: while the folder is being deleted, two processes can hold two different locks.
        """
        for exchange, rows in self._own_tables().items():
            signature = _signature(self._table_file(exchange))
            if signature is None or signature != self._tables_seen.get(exchange):
                self._store_rows(exchange, rows)
                self._tables_seen[exchange] = signature

    def _table_file(self, exchange: str) -> Path:
        file: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]  # not in the stubs
        return file

    def _own_tables(self) -> dict[str, Table]:
        """Return the bindings that this process made, by exchange."""
        tables: dict[str, Table] = defaultdict(list)
        for (queue, exchange, key), arguments in self._bindings():
            meta = self.typeof(exchange).prepare_bind(queue, exchange, key, arguments)
            tables[exchange].append(_row(*meta[:3]))
        return tables

    def _bindings(self) -> list[tuple[binding_key_t, dict[str, Any] | None]]:
        return list(cast(Any, self.state.bindings).items())  # the stubs have the wrong value type

    def _store_rows(self, exchange: str, rows: Table) -> None:
        self._edit_table(exchange, partial(_merged, rows))

    def _edit_table(self, exchange: str, edit: Callable[[Table], Table]) -> None:
        try:
            _with_folder(self.control_folder, partial(self._edit_locked, exchange, edit))
        except OSError as error:
            raise ChannelError(f"Cannot change {self.control_folder}: {error}") from error

    def _edit_locked(self, exchange: str, edit: Callable[[Table], Table]) -> None:
        file = self._table_file(exchange)
        with _locked(self.control_folder / "bindings.lock"):
            table = _read_table(file)
            edited = edit(table)
            if edited != table:
                _write_whole(file, str_to_bytes(dumps(edited)))


class Transport(filesystem.Transport):
    """Argo's transport for `filesystem://` URLs, registered in `argo.celery`."""

    Channel = Channel

    @property
    def default_connection_params(self) -> dict[str, Any]:
        """Return nothing: a folder has no host, and the log should not report a missing one."""
        return {}


def _decode(name: str, content: bytes) -> dict[str, Any] | None:
    """Return the message; None, with a warning, if a power cut left only a part of it.

    It may be dropped: a message is only a wake-up, and the work is found without it.
    """
    try:
        payload: dict[str, Any] = loads(bytes_to_str(content))
    except ValueError:
        logger.warning("Dropped the message %s: its %d bytes are not JSON.", name, len(content))
        return None
    return payload


def _with_folder(folder: Path, act: Callable[[], T]) -> T:
    """Return the result of `act`; create `folder` first if it is missing.

    Try several times: a deletion that is still under way can delete the new folder too.
    """
    for _ in range(10):
        try:
            return act()
        except FileNotFoundError:
            with suppress(FileNotFoundError):  # what is above it is being deleted
                make_folder(folder)
    return act()


def _write_whole(path: Path, content: bytes) -> None:
    """Make `path` appear with all of `content` or not at all.

    It is not synced to disk, because a message may be lost.
    """
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}.draft")
    try:
        with private(draft, "wb") as file:
            file.write(content)
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with private(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read_table(file: Path) -> Table:
    """Return the rows stored in `file`; none if it is missing or unreadable after a power cut."""
    try:
        return [exchange_queue_t(*row) for row in loads(bytes_to_str(file.read_bytes()))]
    except (FileNotFoundError, ValueError):
        return []


def _row(routing_key: str | None, pattern: str | None, queue: str | None) -> exchange_queue_t:
    return exchange_queue_t(routing_key or "", pattern or "", queue or "")


def _merged(rows: Table, table: Table) -> Table:
    return [*(row for row in rows if row not in table), *table]


def _signature(file: Path) -> Signature | None:
    """Return what identifies this version of the file; None if there is no file."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns
