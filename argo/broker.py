"""Celery's broker in a folder: kombu's filesystem transport, made safe for many processes.

A message is a file that appears whole, by a rename, and that belongs to whoever unlinks it. The
folder may be deleted under a running system: it is made again, and only the messages are gone.
"""

import fcntl
import itertools
import os
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

T = TypeVar("T")
Table = list[exchange_queue_t]
Signature = tuple[int, int]
logger = get_logger(__name__)

SECOND = 10**9
"""In nanoseconds."""

_serial = itertools.count()


class Channel(filesystem.Channel):
    """Puts and gets messages in `data_folder_in`; knows which queue is bound to which exchange.

    What one process puts on a queue is got in the order in which it was put.
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
            ChannelError: the message could not be written, for instance on a full disk.
        """
        name = f"{self.clock():020d}_{next(_serial):012d}_{uuid.uuid4().hex}.{queue}.msg"
        write = partial(_write_whole, self._folder / name, str_to_bytes(dumps(payload)))
        try:
            _with_folder(self._folder, write)
        except OSError as error:
            raise ChannelError(f"Cannot put a message into {self._folder}: {error}") from error

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        """The next message on `queue`.

        Raises:
            Empty: there is none.
        """
        names = self._listed.get(queue) or self._look(queue)
        while names:
            payload = self._take(names.popleft())
            if payload is not None:
                return payload
        raise Empty

    def _look(self, queue: str) -> deque[str]:
        """List `queue` afresh, oldest first.

        A listing can miss a file that appears while it runs and still hold a younger one, so
        what was put since it began waits for the next listing. A second later it no longer
        does: a clock that was set back must not hide messages.
        """
        self._keep_bindings()
        now = self.clock()
        begun, bound = f"{now:020d}", f"{now + SECOND:020d}"
        names = (name for name in self._names(queue) if not begun <= name < bound)
        self._listed[queue] = deque(sorted(names))
        return self._listed[queue]

    def _take(self, name: str) -> dict[str, Any] | None:
        """The message in the file `name`; None where another has it, or nobody can read it."""
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
        """How many messages wait on `queue`."""
        return len(self._names(queue))

    def _purge(self, queue: str) -> int:
        """Delete what waits on `queue`, and say how many messages that were."""
        names = self._names(queue)
        for name in names:
            (self._folder / name).unlink(missing_ok=True)
        return len(names)

    # --- Bindings ----------------------------------------------------------------------------
    def get_table(self, exchange: str) -> Table:  # type: ignore[override]  # stubs disagree
        """What is bound to `exchange`: by any process, as stored, and by this one in any case."""
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
        """Store this process's bindings again where someone deleted or replaced the table.

        What counts as seen is the table before the edit, so that the next look checks the
        result: while the folder is being deleted, two processes can hold two locks.
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
        """What this process itself has bound, by exchange."""
        tables: dict[str, Table] = defaultdict(list)
        for (queue, exchange, key), arguments in self._bindings():
            meta = self.typeof(exchange).prepare_bind(queue, exchange, key, arguments)
            tables[exchange].append(_row(*meta[:3]))
        return tables

    def _bindings(self) -> list[tuple[binding_key_t, dict[str, Any] | None]]:
        return list(cast(Any, self.state.bindings).items())  # the stubs mistake the values

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
    """What `filesystem://` stands for in Argo (registered in `argo.celery`)."""

    Channel = Channel

    @property
    def default_connection_params(self) -> dict[str, Any]:
        """Nothing: a folder has no host, and none is to be missed in the log."""
        return {}


def _decode(name: str, content: bytes) -> dict[str, Any] | None:
    """The message; None, with a warning, where a power cut left less than the whole of it.

    It may go: a message is a hint, and the work it hints at is found without it.
    """
    try:
        payload: dict[str, Any] = loads(bytes_to_str(content))
    except ValueError:
        logger.warning("Dropped the message %s: its %d bytes are not JSON.", name, len(content))
        return None
    return payload


def _with_folder(folder: Path, act: Callable[[], T]) -> T:
    """What `act` answers, with `folder` made (again) where it is missing.

    More than once, because a deletion that is still under way can take the new one too.
    """
    for _ in range(10):
        try:
            return act()
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
    return act()


def _write_whole(path: Path, content: bytes) -> None:
    """Let `path` appear with all of `content` or not at all; not synced, for a hint may be lost."""
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}.draft")
    try:
        draft.write_bytes(content)
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read_table(file: Path) -> Table:
    """The rows stored in `file`; none where it is missing, or a power cut left it unreadable."""
    try:
        return [exchange_queue_t(*row) for row in loads(bytes_to_str(file.read_bytes()))]
    except (FileNotFoundError, ValueError):
        return []


def _row(routing_key: str | None, pattern: str | None, queue: str | None) -> exchange_queue_t:
    return exchange_queue_t(routing_key or "", pattern or "", queue or "")


def _merged(rows: Table, table: Table) -> Table:
    return [*(row for row in rows if row not in table), *table]


def _signature(file: Path) -> Signature | None:
    """Tells one version of a file from another; None where there is none."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns
