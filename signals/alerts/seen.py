"""Tells if an alert came before: in this process a moment ago, or in any other one.

What is not found here, because it is not in the database yet, has the same id: it is stored once.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from django.db import DatabaseError

from signals.alerts.identity import Identity
from signals.ledger.in_time import LOOK_UPS, NoAnswer
from signals.ledger.lookup import hashes_in_time
from signals.models import Alert

logger = logging.getLogger(__name__)
WAIT = 0.5
"""Seconds that a look-up may take."""
RECENT = 10_000
"""Alerts that this process remembers."""
_recent: OrderedDict[str, datetime] = OrderedDict()


def remember(alert_id: str, at: datetime) -> None:
    """Keep the id of an alert that was just made durable."""
    _recent.setdefault(alert_id, at)
    while len(_recent) > RECENT:
        _recent.popitem(last=False)


def forget() -> None:
    """Know only what the database knows, as a process does that has just started."""
    _recent.clear()


def seen_signals(identities: Sequence[Identity]) -> list[str]:
    """Return the id of the signal that each alert made before; empty if it made none.

    The database is asked once for all of them, and for a limited time.
    """
    return _seen(identities, lambda ids: hashes_in_time("default", ids))


def seen_exits(identities: Sequence[Identity]) -> list[str]:
    """Return the id of each exit if it came before; empty if it did not."""
    return _seen(identities, _known_exits)


def _seen(
    identities: Sequence[Identity], look_up: Callable[[list[str]], Collection[str]]
) -> list[str]:
    recent = [_recently(each) for each in identities]
    left = [each for each, known in zip(identities, recent, strict=True) if not known]
    found = look_up([name for each in left for name in each.ids]) if left else ()
    pairs = zip(identities, recent, strict=True)
    return [known or _among(each, found) for each, known in pairs]


def _known_exits(ids: list[str]) -> Collection[str]:
    try:
        return LOOK_UPS.within(WAIT, "default", lambda: _stored_exits(ids))
    except (NoAnswer, DatabaseError) as error:
        logger.warning("Exits are not looked up, because the database fails: %s", error)
        return ()


def _stored_exits(ids: list[str]) -> set[str]:
    return set(Alert.objects.filter(alert_id__in=ids).values_list("alert_id", flat=True))


def _recently(identity: Identity) -> str:
    return next((each for each in identity.ids if _is_same(identity, each, _recent.get(each))), "")


def _among(identity: Identity, known: Collection[str]) -> str:
    """Return the first id that is among those of the database, and is this alert."""
    ids = [each for each in identity.ids if each in known]
    for each in ids:
        if each == identity.own or _is_same(identity, each, _received(each)):
            return each
    return ""


def _is_same(identity: Identity, alert_id: str, at: datetime | None) -> bool:
    if at is None:
        return False
    return alert_id == identity.own or (identity.since is not None and at >= identity.since)


def _received(alert_id: str) -> datetime | None:
    found = Alert.objects.filter(alert_id=alert_id).values_list("received_at", flat=True)
    return found.first()
