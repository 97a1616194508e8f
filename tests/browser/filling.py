"""Fills an installation as the demo does, and with hostile text; for a process of its own."""

import json
import sys
from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.core.management import call_command

from signals.clock import utc_now
from signals.ledger.records import encode
from signals.ledger.sums.update import update_sums
from signals.models import DeadLetter, JournalCursor
from tests import hostile_rows
from tests.browser.people import GROUPS, PASSWORD
from tests.samples import a_signal

REPLAY = ("--symbols", "AAPL,MSFT", "--from", "2008-01-01", "--to", "2009-12-31", "--execute")


def main(*, with_hostile_text: bool) -> None:
    """Print the ids of the signals that the tests look for, as JSON."""
    call_command("migrate", "--verbosity", "0")
    call_command("replay", *REPLAY, "--json", stdout=sys.stderr)
    call_command("sync_signals", "--json", stdout=sys.stderr)
    ids = {}
    if with_hostile_text:
        ids["hostile_id"] = hostile_rows.write(utc_now() - timedelta(minutes=1))
        ids["letter_id"] = _letter_to_try_again()
    update_sums()
    _make_users()
    print(json.dumps(ids))


def _make_users() -> None:
    """Make one user of each group, named after it."""
    for group in Group.objects.filter(name__in=GROUPS):
        user = User.objects.create_user(group.name, password=PASSWORD, is_staff=True)
        user.groups.add(group)


def _letter_to_try_again() -> str:
    """Store a dead letter whose cause, a full disk, is gone by now. Return its signal's id."""
    receipt, line = encode(a_signal(symbol="MSFT"), utc_now(), "api")
    DeadLetter.objects.create(
        kind=DeadLetter.Kind.REFUSED, journal=JournalCursor.objects.get(), segment=1, byte=1,
        signal_id=receipt.signal_id, payload=line, digest=receipt.sha256,
        reason="database or disk is full", created_at=utc_now(),
    )  # fmt: skip
    return receipt.signal_id
