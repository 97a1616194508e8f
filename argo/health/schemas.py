"""Health as the API returns it. Without a key it is the status alone."""

from datetime import datetime

from ninja import Schema


class ProblemOut(Schema):
    """A problem: its code, what is wrong, what to do, and its page of the manual."""

    code: str
    sentence: str
    advice: str
    page: str


class DatabaseOut(Schema):
    """The kind of database, and if it answers."""

    vendor: str
    answers: bool


class JournalOut(Schema):
    """The bytes of this machine's journal that are not in the database yet."""

    pending_bytes: int


class DiskOut(Schema):
    """The free bytes of the data folder's disk, and for how many hours they last as signals come
    now; null if that is not known."""

    free_bytes: int
    hours_left: float | None


class ProcessOut(Schema):
    """A process that lives: a worker with its queues, or beat."""

    role: str
    queues: str
    host: str
    pid: int
    node: str
    started_at: datetime
    seen_at: datetime


class SyncBrief(Schema):
    """The state of sync, and how many deliveries wait."""

    state: str
    pending: int


class ExecutionBrief(Schema):
    """The state of execution, how many decisions wait, and how many positions are open."""

    state: str
    pending: int
    open_positions: int


class Health(Schema):
    """`status` is ok, or degraded if there are problems. Only a key that may read gets more; and if
    the database does not answer, only the problems."""

    status: str
    database: DatabaseOut
    problems: list[ProblemOut] | None = None
    sqlite: str | None = None
    journal: JournalOut | None = None
    dead_letters: int | None = None
    disk: DiskOut | None = None
    processes: list[ProcessOut] | None = None
    sync: SyncBrief | None = None
    execution: ExecutionBrief | None = None
