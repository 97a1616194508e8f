"""Takes an alert: durable before the answer, as a signal or in the file of alerts."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import NamedTuple
from uuid import uuid4

from argo.errors import FieldError, InvalidInput
from signals import config, metrics
from signals.alerts import claims, exits, log, rows, seen
from signals.alerts.claims import Claimed
from signals.alerts.content import Body, Content
from signals.alerts.identity import ENDS, OPENS, Identity, identity
from signals.alerts.lines import signal_line
from signals.alerts.log import LoggedAlert
from signals.alerts.reading import Order, read
from signals.alerts.terms import Terms
from signals.alerts.values import ALL
from signals.ledger.records import NAMED_BY_ALERT
from signals.models import Alert

logger = logging.getLogger(__name__)
FAILED = "could not be read, because Argo failed on it ({}): look at the mapping"
NOTHING_OPEN = "No signal of this sender in this symbol is open: there is nothing to end."
Status = Alert.Status


@dataclass
class Taken:
    """What became of an alert, for its answer.

    `signals` and `exits` have their ids, new or not.
    """

    status: int = HTTPStatus.OK
    text: str = "the same alert came before"
    signals: list[str] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    faults: Sequence[FieldError] = ()
    durability: str | None = None


class Part(NamedTuple):
    """What an order opens, or ends; `before` is the id of the same alert if it came before."""

    order: Order
    known: Identity
    before: str
    is_exit: bool


def take(terms: Terms, body: Body, content_type: str, now: datetime) -> Taken:
    """Read an alert and make it as durable as SIGNAL_DURABILITY says.

    Raises JournalError or NothingConfirmed (it was not kept), or NotStoredYet (it was).
    """
    config.durability().ensure()
    taking = Taking(terms, body, content_type, now)
    try:
        taking.read()
    except InvalidInput as error:
        return _keep_unread(taking, error.errors)
    except Exception as error:  # the alert must not be lost, whatever its mapping does
        logger.exception("An alert of %s could not be read", terms.name)
        return _keep_unread(taking, [FieldError("mapping", FAILED.format(type(error).__name__))])
    taking.write()
    return taking.answer()


@dataclass
class Taking:
    """An alert that is taken: what it asks for, and the lines that make it durable."""

    terms: Terms
    body: Body
    content_type: str
    now: datetime
    taken: Taken = field(default_factory=Taken)
    orders: list[Order] = field(default_factory=list)
    signals: dict[str, bytes] = field(default_factory=dict)
    others: dict[str, bytes] = field(default_factory=dict)
    claimed: Mapping[str, Claimed] = field(default_factory=dict)
    is_pending: bool = False

    def read(self) -> None:
        """Read the alert and make its lines. Raises InvalidInput."""
        if self.body.fault:
            raise InvalidInput([FieldError("body", self.body.fault)])
        self.orders = read(Content(self.body.text), self.terms, self.now)
        parts = self._parts()
        new = [part.known for part in parts if part.known.key and not part.before]
        wanted = {known.key: known.own for known in new}
        window = timedelta(seconds=self.terms.dedup_window)
        self.claimed = claims.claim_in_time(wanted, self.now, window)
        for part in parts:
            (self._end if part.is_exit else self._open)(part)

    def write(self) -> None:
        """Make the lines durable. Raises JournalError and NotStoredYet.

        Exits come first: if the second write fails, the sender tries again, and ends nothing twice.
        """
        if self.others:
            log.alerts_journal().append([*self.others.values()])
            self._remember(self.others)
        if self.signals:
            config.journal().append([*self.signals.values()])
            metrics.accepted(NAMED_BY_ALERT, len(self.signals))
            self._remember(self.signals)
        if self.signals or self.others:
            config.wake_flush(len(self.signals) + len(self.others))
        if self.others:
            self.taken.durability = rows.durability().reach()
        if self.signals:
            self.taken.durability = config.durability().reach()

    def answer(self) -> Taken:
        """Return what became of it."""
        if self.signals or self.is_pending:
            self.taken.status, self.taken.text = HTTPStatus.ACCEPTED, "accepted"
        elif self.others:
            self.taken.text = NOTHING_OPEN
        return self.taken

    def logged(self, alert_id: str, status: str, order: Order | None = None) -> LoggedAlert:
        """Return the line of this alert for the file of alerts."""
        return LoggedAlert(
            alert_id, self.terms.id, self._came_at(alert_id), status, self.body, self.content_type,
            symbol=order.symbol if order else "", price=order.price if order else None,
        )  # fmt: skip

    def _parts(self) -> list["Part"]:
        """Return what each order ends, and what it opens, in this order."""
        ending = [order for order in self.orders if order.ends]
        opening = [order for order in self.orders if order.opens]
        exits_known, known = self._identities(ending, ENDS), self._identities(opening, OPENS)
        exits_before, before = seen.seen_exits(exits_known), seen.seen_signals(known)
        parts = [
            *map(partial(Part, is_exit=True), ending, exits_known, exits_before),
            *map(partial(Part, is_exit=False), opening, known, before),
        ]
        places = {id(order): place for place, order in enumerate(self.orders)}
        return sorted(parts, key=lambda part: places[id(part.order)])

    def _identities(self, orders: Iterable[Order], part: str) -> list[Identity]:
        return [identity(self.terms, each, part, self.body.text, self.now) for each in orders]

    def _open(self, part: "Part") -> None:
        order, known, before, _ = part
        own_id = before or self._id_of(known)
        self.taken.signals.append(own_id)
        if before or own_id in self.signals:
            return
        assert order.levels is not None  # noqa: S101  # an order that opens has them
        claim = self._left_to_claim(known)
        if (prices := order.levels.prices) is None or claim:
            waiting = self.logged(own_id, Status.WAITING, order)
            waiting = replace(waiting, signal_id=own_id, side=order.opens, claim=claim)
            self.others[own_id] = log.encode(waiting)
            self.is_pending = True
            return
        _, self.signals[own_id] = signal_line(
            self.terms, order, prices, own_id, self.body, self.now, self.content_type
        )

    def _end(self, part: "Part") -> None:
        """Add an exit, also if nothing is open: what came just before may not be a row yet."""
        order, known, before, _ = part
        own_id = before or self._id_of(known)
        self.taken.exits.append(own_id)
        if before:
            return
        ending = self.logged(own_id, Status.WAITING, order)
        side = "" if order.ends == ALL else order.ends
        ending = replace(ending, side=side, claim=self._left_to_claim(known))
        self.others[own_id] = log.encode(ending)
        self.is_pending |= exits.may_end(self.terms.id, order.symbol, ending.side)

    def _id_of(self, known: Identity) -> str:
        """Return the id that all processes give this alert, as far as that is known."""
        return self.claimed[known.key].alert_id if known.key in self.claimed else known.own

    def _left_to_claim(self, known: Identity) -> str:
        """Return the key by which a worker must claim the alert; empty if that is done."""
        return "" if known.key in self.claimed else known.key

    def _came_at(self, alert_id: str) -> datetime:
        """Return when the alert came first, at whatever process."""
        claimed = (each.at for each in self.claimed.values() if each.alert_id == alert_id)
        return next(claimed, self.now)

    def _remember(self, lines: Iterable[str]) -> None:
        for alert_id in lines:
            seen.remember(alert_id, self._came_at(alert_id))


def _keep_unread(taking: Taking, faults: Sequence[FieldError]) -> Taken:
    """Keep an alert that could not be read. Raises JournalError and NotStoredYet."""
    logged = replace(taking.logged(uuid4().hex, Status.UNREAD), faults=list(faults))
    log.alerts_journal().append([log.encode(logged)])
    metrics.refused(NAMED_BY_ALERT, "unread")
    config.wake_flush(1)
    reached = rows.durability().reach()
    return Taken(HTTPStatus.UNPROCESSABLE_ENTITY, "not read", faults=faults, durability=reached)
