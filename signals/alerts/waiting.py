"""Carries out the alerts that wait: exits, and signals whose target or stop needs the market."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache

from argo.errors import ArgoError, FieldError, InvalidInput
from signals import config
from signals.alerts import claims, exits
from signals.alerts.content import Body, Content, kept_text
from signals.alerts.lines import signal_line
from signals.alerts.ranges import prices_of
from signals.alerts.reading import Order, read
from signals.alerts.terms import terms_of
from signals.market.protocol import FeedError, MarketData
from signals.models import Alert
from signals.wakeup import WakeUp

logger = logging.getLogger(__name__)
AGAIN = timedelta(seconds=2)
"""When an exit is tried again whose signal is just being decided on."""
AT_ONCE = 200
PATIENCE = timedelta(minutes=10)
"""How long a market that does not answer is asked again."""
Status = Alert.Status
MarketOf = Callable[[], MarketData]


def wake() -> None:
    """Ask a worker to carry out what waits. Return at once; nothing is lost if it does not."""
    _wakeup().notify()


@cache
def _wakeup() -> WakeUp:
    return WakeUp("signals.tasks.alerts", linger=0.05)


def due(now: datetime) -> list[Alert]:
    """Return alerts that wait and are due, oldest first."""
    rows = Alert.objects.filter(status=Status.WAITING, due_at__lte=now).select_related("sender")
    return list(rows.order_by("due_at", "pk")[:AT_ONCE])


def carry_out_due(now: datetime, market: MarketOf = config.market) -> int:
    """Carry out the alerts that are due; return how many. One that fails stops no other."""
    failures = []
    alerts = due(now)
    for alert in alerts:
        try:
            _carry_out(alert, now, market)
        except Exception as error:  # the others must not wait for it
            logger.exception("The alert %s of %s failed", alert.alert_id, alert.sender)
            _postpone(alert, now)
            failures.append(error)
    if failures:
        raise failures[0]
    return len(alerts)


def _carry_out(alert: Alert, now: datetime, market: MarketOf) -> None:
    if alert.claim and (first := _first(alert)) != alert.alert_id:
        _end(alert, Status.DONE, f"the same alert as {first}, which came before", signal_id="")
        return
    if alert.signal_id:
        _open(alert, now, market)
        return
    ended = exits.carry_out(alert, now)
    if ended.busy:
        _postpone(alert, now, str(ended))
    elif ended.faults:
        faults = [FieldError(name, why) for name, why in ended.faults.items()]
        _give_up(alert, faults, str(ended))
    else:
        _end(alert, Status.DONE, result=str(ended))


def _open(alert: Alert, now: datetime, market: MarketOf) -> None:
    """Make the signal of an alert whose levels need the market, from the bars before the alert."""
    text = kept_text(alert.body, is_base64=alert.is_base64)
    body = Body(text, alert.body, is_base64=alert.is_base64)
    at = alert.received_at
    try:
        terms = terms_of(alert.sender)
        order = _order_of(alert, read(Content(text), terms, at))
        prices = (order.levels and order.levels.prices) or prices_of(order, at, market())
        _, line = signal_line(terms, order, prices, alert.signal_id, body, at, alert.content_type)
    except InvalidInput as error:
        _give_up(alert, error.errors)
    except FeedError as error:
        if now - at < PATIENCE:
            _postpone(alert, now, str(error))
        else:
            _give_up(alert, [FieldError("market", str(error))])
    except ArgoError as error:
        _give_up(alert, [FieldError("market", str(error))])
    else:
        config.journal().append([line])
        config.wake_flush(1)
        _end(alert, Status.SIGNAL)


def _first(alert: Alert) -> str:
    """Return the id of the first alert of this text: the database was away when this one came."""
    window = timedelta(seconds=alert.sender.dedup_window)
    return claims.claim(alert.claim, alert.alert_id, alert.received_at, window).alert_id


def _order_of(alert: Alert, orders: Iterable[Order]) -> Order:
    """Return the order that the alert waits for. Raises InvalidInput if it is not there."""
    for order in orders:
        if (order.symbol, order.opens) == (alert.symbol, alert.side):
            return order
    raise InvalidInput([FieldError("mapping", "was changed: the alert no longer asks for this")])


def _end(alert: Alert, status: str, result: str = "", **more: str) -> None:
    rows = Alert.objects.filter(pk=alert.pk, status=Status.WAITING)
    rows.update(status=status, result=result, due_at=None, **more)


def _postpone(alert: Alert, now: datetime, result: str = "") -> None:
    rows = Alert.objects.filter(pk=alert.pk, status=Status.WAITING)
    rows.update(due_at=now + AGAIN, result=result)


def _give_up(alert: Alert, faults: Iterable[FieldError], result: str = "") -> None:
    rows = Alert.objects.filter(pk=alert.pk, status=Status.WAITING)
    shown = [asdict(each) for each in faults]
    rows.update(status=Status.UNREAD, faults=shown, result=result, due_at=None, signal_id="")
