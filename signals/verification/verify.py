"""The whole verification, and that of one signal. Neither side is ever whole in memory."""

from contextlib import closing
from dataclasses import replace

from signals.garbage import collector_paused
from signals.journal import Journal, JournalReplaced, LineLookup
from signals.ledger.queries import no_such_signal
from signals.models import JournalCursor
from signals.verification.findings import Finding, Kind, Progress, Verification
from signals.verification.lines import LineCheck
from signals.verification.numbers import Numbers
from signals.verification.rows import RowCheck
from signals.verification.slices import check_slices


def verify(
    journal: Journal,
    *,
    using: str = "default",
    progress: Progress = lambda count: None,
    processes: int = 1,
) -> Verification:
    """Check every row, on so many processes, and every line."""
    cursor = _cursor(journal, using)
    result = Verification()
    seen, homeless = Numbers(), Numbers()
    for checked in check_slices(journal.segments, cursor, using=using, processes=processes):
        result.rows += checked.rows
        result.elsewhere += checked.elsewhere
        result.findings += checked.findings
        seen.update(checked.lines)
        homeless.update(checked.homeless)
        progress(checked.rows)
    with closing(LineLookup(journal.segments)) as lookup:
        rows = RowCheck(lookup, cursor, using=using)
        lines = LineCheck(cursor, rows, seen, homeless, using=using)
        _check_lines(journal, lines, result, progress)
    return result


def verify_one(journal: Journal, signal_id: str, *, using: str = "default") -> list[Finding]:
    """What is wrong with one stored signal. Raises NotFound."""
    cursor = _cursor(journal, using)
    with closing(LineLookup(journal.segments)) as lookup:
        rows = RowCheck(lookup, cursor, using=using)
        checked = rows.check_one(signal_id)
        if not checked.rows:
            raise no_such_signal(signal_id)
        homeless = Numbers()
        homeless.update(checked.homeless)
        lines = LineCheck(cursor, rows, Numbers(), homeless, using=using)
        return checked.findings + (_searched(journal, lines, signal_id) if homeless else [])


def _searched(journal: Journal, lines: LineCheck, signal_id: str) -> list[Finding]:
    """What a row's line says that is not where the row came from: look at every line."""
    name = signal_id.encode()
    for chunk in journal.chunks():
        lines.findings(replace(chunk, lines=[line for line in chunk.lines if name in line.data]))
    return list(lines.homeless_findings())


@collector_paused()
def _check_lines(
    journal: Journal, lines: LineCheck, result: Verification, progress: Progress
) -> None:
    try:
        for chunk in journal.chunks():
            result.lines += len(chunk.lines)
            result.pending += lines.pending(chunk)
            result.findings += lines.findings(chunk)
            progress(len(chunk.lines))
    except JournalReplaced as replaced:
        result.findings.append(Finding(Kind.MISSING, "", str(replaced)))
    result.findings += lines.homeless_findings()
    result.findings += lines.change_findings()


def _cursor(journal: Journal, using: str) -> JournalCursor:
    """How far the journal was flushed when the verification began."""
    return JournalCursor.objects.using(using).of(journal.identity)
