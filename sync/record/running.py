"""Sends the checkpoints that are due: each target on a thread of its own."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connections

from signals.clock import Clock, utc_now
from signals.record.log.service import wake_publish
from signals.record.proving.checkpoints import quorum
from signals.record.witnessing.marking import load_kept, mark_witnessed
from sync import breaker
from sync.models import RecordSubmission
from sync.queue import to_authority, to_witness
from sync.record.rounds import begin_stamp_round, begin_witness_round
from sync.record.timestamps import AuthorityService, verifier
from sync.record.witnesses import WitnessService
from sync.worker import Deliverer, DeliveryCounts

WITNESS, DELIVERED = RecordSubmission.Kind.WITNESS, RecordSubmission.Status.DELIVERED
MOST_AT_ONCE = 16
"""Targets that are asked at the same time."""


@dataclass
class Runner:
    """Asks witnesses and authorities, on the machine that owns the record.

    `stop` ends a run: requests under way finish, the rest is released.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    clock: Clock = utc_now

    def witness(self, *, at_once: bool = False) -> DeliveryCounts:
        """Send what is due to the witnesses, and mark what enough of them have cosigned."""
        if not settings.RECORD_ORIGIN or not (named := quorum().witnesses):
            return DeliveryCounts()
        _load_once(str(settings.DATA_DIR))
        begin_witness_round(self.clock(), at_once=at_once)
        counts = self._run({each.name: self._to_witness(each.name) for each in named})
        wake_publish(mark_witnessed(self.clock()))
        return counts

    def stamp(self) -> DeliveryCounts:
        """Send what is due to the time stamp authorities."""
        urls = settings.RECORD_STAMP_AUTHORITIES
        if not settings.RECORD_ORIGIN or not urls:
            return DeliveryCounts()
        begin_stamp_round(self.clock())
        counts = self._run({url: self._to_authority(url) for url in urls})
        wake_publish(counts.delivered)
        return counts

    def _run(self, deliverers: Mapping[str, Deliverer]) -> DeliveryCounts:
        """Run them all; raise what one raised, after the others."""
        close_old_connections()
        with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="record") as pool:
            futures = [pool.submit(_run_one, each) for each in deliverers.values()]
        total = DeliveryCounts()
        for future in futures:
            total = total + future.result()
        return total

    def _to_witness(self, name: str) -> Deliverer:
        named = next(each for each in quorum().witnesses if each.name == name)
        return Deliverer(
            WitnessService(named, clock=self.clock),
            concurrency=1,
            max_attempts=settings.SYNC_MAX_ATTEMPTS,
            queue=to_witness(name),
            breaker=breaker.of_witness(name),
            retries=0,
            count=lambda result: None,
            rest=close_old_connections,
            clock=self.clock,
            stop=self.stop,
        )

    def _to_authority(self, url: str) -> Deliverer:
        return Deliverer(
            AuthorityService(url, verifier(), clock=self.clock),
            concurrency=1,
            max_attempts=settings.SYNC_MAX_ATTEMPTS,
            queue=to_authority(url),
            breaker=breaker.of_authority(url),
            retries=0,
            count=lambda result: None,
            rest=close_old_connections,
            clock=self.clock,
            stop=self.stop,
        )


def witness_now() -> dict[str, Any]:
    """Ask all witnesses now, for the command `record --witness-now`; return what became of it.

    `asked` is how many get the last checkpoint in this round: 0 if a round has just been, or if
    nothing was entered since all witnesses have cosigned.
    """
    before = RecordSubmission.objects.filter(kind=WITNESS).order_by("-pk").first()
    counts = Runner().witness(at_once=True)
    rows = RecordSubmission.objects.filter(kind=WITNESS).order_by("pk")
    latest = {each.target: each for each in rows}
    return {
        "cosigned": counts.delivered,
        "needed": quorum().least,
        "is_new_round": before != rows.last(),
        "witnesses": {name: f"{each.status}: {each.last_answer}" for name, each in latest.items()},
        "failed": sorted(n for n, each in latest.items() if each.status != DELIVERED),
    }


def _run_one(deliverer: Deliverer) -> DeliveryCounts:
    try:
        return deliverer.run()
    finally:
        connections.close_all()


@cache
def _load_once(folder: str) -> int:
    """Load the witnessed checkpoints that the database has lost; once for each process."""
    return load_kept()
