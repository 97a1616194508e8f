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


class StandbyOut(Schema):
    """A standby of PostgreSQL. `behind_bytes` were sent to it and are not confirmed yet."""

    name: str
    sync_state: str
    state: str
    behind_bytes: int


class DurabilityOut(Schema):
    """What SIGNAL_DURABILITY promises, and what is kept.

    `on_one_disk`: acknowledged lines that are in this machine's journal only, and `oldest_age` the
    seconds since the first of them was received; null if it is not known, or if all are, because
    the database is a file of this machine. `is_current` is false if PostgreSQL does not answer and
    they are counted from where it was last. `standbys` is null if Argo's role may not see them.
    """

    promise: str
    on_one_disk: int | None
    oldest_age: float | None
    is_current: bool | None = None
    synchronous_commit: str | None = None
    synchronous_standby_names: str | None = None
    standbys: list[StandbyOut] | None = None


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
    the database does not answer, only the problems and the durability."""

    status: str
    database: DatabaseOut
    problems: list[ProblemOut] | None = None
    durability: DurabilityOut | None = None
    sqlite: str | None = None
    journal: JournalOut | None = None
    dead_letters: int | None = None
    disk: DiskOut | None = None
    processes: list[ProcessOut] | None = None
    sync: SyncBrief | None = None
    execution: ExecutionBrief | None = None
