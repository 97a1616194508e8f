"""Verifies everything, or one signal. Neither side is ever loaded as a whole."""

from contextlib import closing
from dataclasses import replace

from signals.garbage import collector_paused
from signals.journal import Journal, JournalReplaced, LineLookup
from signals.ledger.queries import no_such_signal
from signals.ledger.sums.check import differences
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
    """Check every row, on this number of processes, every journal line, and the sums."""
    cursor = _cursor(journal, using)
    result = Verification()
    seen, unmatched = Numbers(), Numbers()
    for checked in check_slices(journal.segments, cursor, using=using, processes=processes):
        result.rows += checked.rows
        result.elsewhere += checked.elsewhere
        result.findings += checked.findings
        seen.update(checked.lines)
        unmatched.update(checked.unmatched)
        progress(checked.rows)
    with closing(LineLookup(journal.segments)) as lookup:
        rows = RowCheck(lookup, cursor, using=using)
        lines = LineCheck(cursor, rows, seen, unmatched, using=using)
        _check_lines(journal, lines, result, progress)
    result.sums = differences(using=using)
    return result


def verify_one(journal: Journal, signal_id: str, *, using: str = "default") -> list[Finding]:
    """Return the findings about one stored signal. Raises NotFound."""
    cursor = _cursor(journal, using)
    with closing(LineLookup(journal.segments)) as lookup:
        rows = RowCheck(lookup, cursor, using=using)
        checked = rows.check_one(signal_id)
        if not checked.rows:
            raise no_such_signal(signal_id)
        unmatched = Numbers()
        unmatched.update(checked.unmatched)
        lines = LineCheck(cursor, rows, Numbers(), unmatched, using=using)
        return checked.findings + (_search(journal, lines, signal_id) if unmatched else [])


def _search(journal: Journal, lines: LineCheck, signal_id: str) -> list[Finding]:
    """Look for the row's line in the whole journal, because it is not at its place."""
    name = signal_id.encode()
    for chunk in journal.chunks():
        lines.findings(replace(chunk, lines=[line for line in chunk.lines if name in line.data]))
    return list(lines.unmatched_findings())


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
    result.findings += lines.unmatched_findings()
    result.findings += lines.change_findings()


def _cursor(journal: Journal, using: str) -> JournalCursor:
    """Return the cursor: how far the journal is flushed as the verification begins."""
    return JournalCursor.objects.using(using).of(journal.identity)
