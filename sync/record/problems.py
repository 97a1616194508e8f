"""What is wrong with the witnesses and the time stamps of the public record."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from argo.errors import InvalidInput
from signals.models import RecordCheckpoint
from signals.problems import Problem, ProblemKind
from signals.record.log.checkpoints import last_checkpoint
from signals.record.proving.checkpoints import quorum
from signals.status_text import age
from sync.models import Breaker, RecordSubmission
from sync.record.rounds import has_news
from sync.record.standing import disagrees, last_sent

LONGEST_SILENCE = timedelta(hours=3)
"""A witness or authority that has not answered for longer is a problem."""
PAGE = "record.md#have-it-witnessed"

REFUSED = ProblemKind(
    "record.witness_refuses",
    "Read the answer. Tell the witness's owner the verifier key (argo record), or correct "
    "RECORD_WITNESSES. The next round asks again.",
    PAGE,
)
DISAGREES = ProblemKind(
    "record.witness_disagrees",
    "Compare with the checkpoint that the witness shows. If it has one that your key signed, and "
    "your record does not continue it, there are two histories; if not, the witness is wrong: name "
    "another one.",
    PAGE,
)
SILENT = ProblemKind(
    "record.witness_silent",
    "Argo tries again by itself. Ask who runs it, or name another one in RECORD_WITNESSES.",
    PAGE,
)
UNWITNESSED = ProblemKind(
    "record.unwitnessed",
    "See which witnesses do not cosign: argo record --witness-now. Nothing is lost, and the time "
    "of what is entered meanwhile is proved less closely.",
    PAGE,
)
STAMP_FAILS = ProblemKind(
    "record.stamp_fails",
    "Read the answer. Correct RECORD_STAMP_AUTHORITIES or RECORD_STAMP_CERTIFICATES. The next "
    "round asks again.",
    "record.md#have-it-stamped",
)
KINDS = (REFUSED, DISAGREES, SILENT, UNWITNESSED, STAMP_FAILS)
Kind = RecordSubmission.Kind


def problems(now: datetime) -> Iterator[Problem]:
    """Yield the problems that exist now; none if this machine does not own the record."""
    if not settings.RECORD_ORIGIN:
        return
    try:
        witnesses = quorum().witnesses
    except InvalidInput as error:
        yield REFUSED.found(str(error))
        return
    for each in witnesses:
        yield from _of_target(Kind.WITNESS, each.name, f"The witness {each.name}", now)
    for url in settings.RECORD_STAMP_AUTHORITIES:
        yield from _of_target(Kind.AUTHORITY, url, f"The time stamp authority {url}", now)
    if witnesses:
        yield from _unwitnessed(now)


def _of_target(kind: str, target: str, title: str, now: datetime) -> Iterator[Problem]:
    last = last_sent(kind, target)
    if last is not None and last.status == RecordSubmission.Status.DEAD:
        about = f"{kind}:{target}"
        yield _kind_of(last).found(f"{title} refuses the record: {last.last_answer}.", about)
    breaker = Breaker.objects.filter(target=f"{kind}:{target}").exclude(probe_at=None).first()
    silent = age(breaker.opened_at, now) if breaker else None
    if breaker and silent is not None and silent > LONGEST_SILENCE.total_seconds():
        sentence = f"{title} has not answered for {silent / 3600:.0f} hours: {breaker.reason}."
        yield SILENT.found(sentence, f"{kind}:{target}")


def _kind_of(row: RecordSubmission) -> ProblemKind:
    if row.kind == Kind.AUTHORITY:
        return STAMP_FAILS
    return DISAGREES if disagrees(row) else REFUSED


def _unwitnessed(now: datetime) -> Iterator[Problem]:
    """Yield a problem if for long no checkpoint was cosigned by enough witnesses."""
    last = last_checkpoint()
    first = RecordSubmission.objects.filter(kind=Kind.WITNESS).order_by("queued_at").first()
    if last is None or first is None or not has_news(last):
        return
    marked = RecordCheckpoint.objects.filter(is_marked=True).order_by("-size").first()
    waited = age(marked.signed_at if marked else first.queued_at, now)
    longest = 2 * settings.RECORD_WITNESS_INTERVAL + LONGEST_SILENCE.total_seconds()
    if waited is not None and waited > longest:
        yield UNWITNESSED.found(
            f"For {waited / 3600:.0f} hours fewer than {quorum().least} witnesses have cosigned."
        )
