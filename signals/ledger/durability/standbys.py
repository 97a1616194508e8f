"""Reads how many machines a commit of PostgreSQL waits for."""

from dataclasses import dataclass
from typing import NamedTuple

from django.db import connections

from signals.ledger.durability.commits import WEAK

WAITED_FOR = ("sync", "quorum")
"""States of a standby that commits wait for."""
_SETTINGS = """
SELECT current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
"""
_STANDBYS = """
SELECT application_name, sync_state, state,
    coalesce(pg_wal_lsn_diff(sent_lsn, flush_lsn), 0)::bigint
FROM pg_stat_replication ORDER BY application_name
"""


class Standby(NamedTuple):
    """A standby that is connected.

    Attributes:
        name: its `application_name`.
        sync_state: `sync`, `quorum`, `potential` or `async`.
        state: `streaming`, or what it does before that.
        behind_bytes: bytes that were sent to it, and that it has not confirmed.
    """

    name: str
    sync_state: str
    state: str
    behind_bytes: int


@dataclass(frozen=True)
class Replication:
    """What PostgreSQL says of itself.

    Attributes:
        synchronous_commit: the setting, as Argo's role has it.
        synchronous_standby_names: the setting; empty if commits wait for no standby.
        standbys: those that are connected; None if Argo's role may not read them.
    """

    synchronous_commit: str
    synchronous_standby_names: str
    standbys: tuple[Standby, ...] | None

    @property
    def is_weak(self) -> bool:
        """Return whether commits that ask for nothing else do not wait for a standby."""
        return self.synchronous_commit in WEAK

    @property
    def waited_for(self) -> list[Standby] | None:
        """Return the standbys that commits wait for; None if that is not known."""
        if not self.synchronous_standby_names:
            return []
        if self.standbys is None:
            return None
        return [each for each in self.standbys if each.sync_state in WAITED_FOR]


def replication(using: str = "default") -> Replication:
    """Ask PostgreSQL. Raises DatabaseError."""
    with connections[using].cursor() as cursor:
        cursor.execute(_SETTINGS)
        commit, names, may_read = cursor.fetchone()
        if not may_read:
            return Replication(commit, names, None)
        cursor.execute(_STANDBYS)
        return Replication(commit, names, tuple(Standby(*row) for row in cursor.fetchall()))
