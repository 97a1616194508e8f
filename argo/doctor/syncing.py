"""The trouble "sync with Alpine fails": the way to it, what waits, and the last errors."""

from collections.abc import Iterator
from functools import partial

from django.conf import settings

from argo.doctor import alpine
from argo.doctor.check import Finding, Question, ok, skipped, warning
from argo.doctor.error_log import errors_in
from argo.doctor.known import Known
from argo.doctor.storing import DATABASE
from argo.logs.text import cut, escaped
from signals.status_text import counted
from sync import breaker, counts
from sync.status import last_failures

TITLE = "Sync with Alpine fails"
QUEUE = "sync"
MOST_SHOWN = 3
LONGEST = 160
"""Characters of an answer that are shown."""


def questions(known: Known) -> Iterator[Question]:
    """Yield the questions. While sync is off, Alpine is not contacted."""
    if not settings.ALPINE_API_KEY:
        yield Question("sync", lambda: skipped("it is off: ALPINE_API_KEY is empty"))
        return
    yield from alpine.questions()
    yield Question("worker", partial(_worker, known), needs=(DATABASE,))
    yield Question("waiting", partial(_waiting, known), needs=(DATABASE,))
    yield Question("breaker", partial(_breaker, known), needs=(DATABASE,))
    yield Question("dead", partial(_dead, known), needs=(DATABASE,))
    yield Question("last errors", _last_errors, needs=(DATABASE,))
    yield Question("log of sync", partial(errors_in, of_sync=True))


def _worker(known: Known) -> Finding:
    alive = partial(ok, "a worker of the queue sync lives")
    return known.unless(("worker.missing",), alive, about=QUEUE)


def _waiting(known: Known) -> Finding:
    def in_time() -> Finding:
        found, oldest = counts.waiting(known.now)
        since = "" if oldest is None else f", the oldest for {oldest:.0f} s"
        return ok(f"{found.of('delivery waits', 'deliveries wait')}{since}")

    return known.unless(("sync.backlog",), in_time)


def _breaker(known: Known) -> Finding:
    def closed() -> Finding:
        failures = breaker.ALPINE.state().failures
        failed = counted(failures, "connection has failed", "connections in a row have failed")
        return ok(f"closed; {failed}")

    return known.unless(("sync.paused",), closed)


def _dead(known: Known) -> Finding:
    def none() -> Finding:
        return ok(counts.dead().of("delivery is dead", "deliveries are dead"))

    return known.unless(("sync.dead",), none)


def _last_errors() -> Finding:
    """Show what Alpine answered last, of deliveries that it does not have."""
    failed = last_failures(MOST_SHOWN)
    if not failed:
        return ok("no delivery has failed that is not delivered now")
    shown = "; ".join(
        f"{each.signal.signal_id} ({each.status}): {cut(escaped(each.last_answer), LONGEST)}"
        for each in failed
    )
    return warning(f"The last answers: {shown}", "See the deliveries in the admin site.")
