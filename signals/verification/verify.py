"""The whole verification, and that of one signal. Neither side is ever whole in memory."""

from contextlib import closing

from argo.errors import NotFound
from signals.journal import Journal, JournalReplaced, LineLookup
from signals.models import JournalCursor
from signals.verification.findings import Finding, Kind, Progress, Verification
from signals.verification.lines import LineCheck
from signals.verification.rows import RowCheck


def verify(
    journal: Journal, *, using: str = "default", progress: Progress = lambda count: None
) -> Verification:
    """Check every row and every line."""
    cursor = _cursor(journal, using)
    result = Verification()
    with closing(LineLookup(journal.segments)) as lookup:
        rows = RowCheck(lookup, cursor, using=using)
        for page in rows.pages():
            result.rows += len(page)
            result.elsewhere += sum(map(rows.is_elsewhere, page))
            result.findings += rows.findings(page)
            progress(len(page))
    lines = LineCheck(cursor, rows.lines_seen, using=using)
    _check_lines(journal, lines, result, progress)
    return result


def verify_one(journal: Journal, signal_id: str, *, using: str = "default") -> list[Finding]:
    """What is wrong with one stored signal. Raises NotFound."""
    with closing(LineLookup(journal.segments)) as lookup:
        rows = RowCheck(lookup, _cursor(journal, using), using=using)
        found = rows.find(signal_id)
        if not found:
            raise NotFound(f"There is no signal {signal_id}, or it is not in the database yet.")
        return rows.findings(found)


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
    result.findings += lines.change_findings()


def _cursor(journal: Journal, using: str) -> JournalCursor:
    """How far the journal was flushed when the verification began."""
    cursors = JournalCursor.objects.using(using)
    return cursors.get_or_create(journal=journal.identity)[0]
