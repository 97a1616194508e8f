"""Fills the table `alerts`: from stored signals, and from the file of alerts."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import Q

from signals import config
from signals.alerts.log import alerts_journal, decode
from signals.journal import Chunk, Journal, JournalPosition, JournalReplaced, Line
from signals.ledger.durability.commits import is_confirmed
from signals.ledger.durability.modes import Durability
from signals.ledger.records import NAMED_BY_ALERT
from signals.ledger.store import StoredSignal
from signals.models import Alert, AlertCursor, Sender
from signals.rows import update
from signals.timestamps import parse_utc

logger = logging.getLogger(__name__)
AT_ONCE = 500
Status = Alert.Status


def record_stored(stored: Sequence[StoredSignal]) -> None:
    """Add the alert of each stored signal that came from one; one of SIGNAL_STORED_HANDLERS.

    An alert that has a row already, because it had to wait or was read again, is marked.
    """
    fields = [each.fields for each in stored if each.origin == NAMED_BY_ALERT]
    rows = [_of_signal(each) for each in fields if isinstance(each.get("alert"), dict)]
    if not rows:
        return
    there = Alert.objects.filter(signal_id__in=[row.signal_id for row in rows])
    known = set(there.values_list("signal_id", flat=True))
    if known:
        there.filter(status=Status.WAITING).update(status=Status.SIGNAL, due_at=None)
    names = {each["alert"]["sender_id"]: each["alert"]["sender"] for each in fields}
    senders = _senders(names)
    _insert(row for row in rows if row.sender_id in senders and row.signal_id not in known)
    _note_heard(row for row in rows if row.sender_id in senders)


def drain() -> int:
    """Add the alerts of this machine's file that are no rows yet; return how many lines there were.

    To repeat it, also after the file was put back from a backup, adds nothing twice.
    """
    journal = alerts_journal()
    if not journal.path.exists():
        return 0
    cursor, _ = AlertCursor.objects.get_or_create(journal=journal.identity)
    count, seen = 0, JournalPosition(cursor.segment, cursor.byte, cursor.fingerprint)
    while (chunk := _following(journal, seen)) is not None:
        with transaction.atomic():
            moved = update(AlertCursor, cursor.pk, chunk.end._asdict(), only_if=seen._asdict())
            if not moved:
                break  # another process reads it
            _add(chunk.lines)
        count, seen = count + len(chunk.lines), chunk.end
    return count


@cache
def durability() -> Durability:
    """Return what SIGNAL_DURABILITY promises for the alerts of this machine's file."""
    return config.durability_of(_is_stored)


def _is_stored() -> bool:
    upto = alerts_journal().end()
    drain()
    return is_confirmed(AlertCursor, alerts_journal(), upto, "default")


def lines_wait() -> bool:
    """Return whether the file has alerts that are no rows yet."""
    journal = alerts_journal()
    if not journal.path.exists():
        return False
    cursor = AlertCursor.objects.filter(journal=journal.identity).first()
    reached = (cursor.segment, cursor.byte) if cursor else (1, 0)
    return reached < tuple(journal.end())


def _following(journal: Journal, position: JournalPosition) -> Chunk | None:
    try:
        return journal.read(position, max_lines=AT_ONCE)
    except JournalReplaced as replaced:
        logger.error("%s Reading it from its start, which is safe.", replaced)
        return journal.read(journal.restart(position), max_lines=AT_ONCE)


def _add(lines: Iterable[Line]) -> None:
    rows = [row for line in lines if (row := _read(line)) is not None]
    senders = set(Sender.objects.filter(pk__in={row.sender_id for row in rows}).values_list("pk"))
    for row in rows:
        if (row.sender_id,) not in senders:
            logger.error("The alert %s has a sender that is not in the database", row.alert_id)
    known = [row for row in rows if (row.sender_id,) in senders]
    _insert(known)
    _note_heard(known)


def _read(line: Line) -> Alert | None:
    """Return the row of a line of the file; None, and an error in the log, if it is broken."""
    try:
        return _of_line(decode(line.data))
    except (ValueError, KeyError, TypeError) as error:
        logger.error("The line of alerts at %s:%s is broken: %s", *line.offset, error)
        return None


def _of_line(fields: Mapping[str, Any]) -> Alert:
    received = parse_utc(fields["received_at"])
    names = ("alert_id", "status", "symbol", "side", "price", "signal_id", "faults", "is_base64")
    return Alert(
        sender_id=fields["sender"],
        received_at=received,
        result="",
        body=fields["body"],
        content_type=fields["content_type"],
        due_at=received if fields["status"] == Status.WAITING else None,
        claim=fields.get("claim", ""),
        **{name: fields[name] for name in names},
    )


def _of_signal(fields: Mapping[str, Any]) -> Alert:
    return Alert(
        alert_id=fields["signal_id"],
        sender_id=fields["alert"].get("sender_id"),
        received_at=parse_utc(fields["received_at"]),
        status=Status.SIGNAL,
        symbol=fields["symbol"],
        side=fields["action"],
        price=fields["entry_price"],
        signal_id=fields["signal_id"],
        result="",
        body="",
        content_type="",
    )


def _senders(names: Mapping[int, str]) -> set[int]:
    """Return the ids of these senders that are this database's: a journal may come from another."""
    found = Sender.objects.filter(pk__in=[*names]).values_list("pk", "name")
    return {pk for pk, name in found if names[pk] == name}


def _insert(rows: Iterable[Alert]) -> None:
    """Insert those that are new; of several with the same id the first one is."""
    made = dict[str, Alert]()
    for row in rows:
        made.setdefault(row.alert_id, row)
    Alert.objects.bulk_create(
        made.values(), update_conflicts=True, unique_fields=["alert_id"], update_fields=["alert_id"]
    )


def _note_heard(rows: Iterable[Alert]) -> None:
    """Store when senders were heard; who was late is late no more."""
    heard: dict[int, datetime] = {}
    for row in rows:
        heard[row.sender_id] = max(row.received_at, heard.get(row.sender_id, row.received_at))
    for sender, at in heard.items():
        later = Q(heard_at=None) | Q(heard_at__lt=at)
        Sender.objects.filter(later, pk=sender).update(heard_at=at, late_since=None)
