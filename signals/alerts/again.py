"""Reads an unread alert again, after its mapping was changed; never makes a signal twice."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from argo.errors import ArgoError, Conflict, FieldError, InvalidInput
from signals import acts
from signals.alerts.content import Body, kept_text
from signals.alerts.taking import Taken, Taking
from signals.alerts.terms import terms_of
from signals.models import Alert

Status = Alert.Status


def read_again(alert: Alert, *, who: str, now: datetime) -> Taken:
    """Read an unread alert as if it came at the time when it came.

    Raises InvalidInput with every fault that is left, and Conflict if it is not unread.
    """
    if alert.status != Status.UNREAD:
        raise Conflict(f"The alert is not unread any more: it is {alert.status}.")
    taking = Taking(terms_of(alert.sender), _body(alert), alert.content_type, alert.received_at)
    try:
        taking.read()
    except InvalidInput as error:
        Alert.objects.filter(pk=alert.pk).update(faults=[asdict(each) for each in error.errors])
        raise
    except Exception as error:
        text = f"failed with {type(error).__name__}: {error}"
        raise InvalidInput([FieldError("mapping", text)]) from error
    taking.write()
    _mark(alert, taking, who, now)
    return taking.answer()


def read_each(
    alerts: Iterable[Alert], *, who: str, now: datetime
) -> Iterator[tuple[Alert, Taken | ArgoError]]:
    """Read unread alerts again; yield each with what became of it, or the error that is left."""
    for alert in alerts:
        try:
            yield alert, read_again(alert, who=who, now=now)
        except ArgoError as error:
            yield alert, error


def resolve_each(alerts: Iterable[Alert], *, who: str, now: datetime) -> int:
    """Close unread alerts for good; return how many."""
    return sum(resolve(alert, who=who, now=now) for alert in alerts)


def resolve(alert: Alert, *, who: str, now: datetime) -> bool:
    """Close an unread alert for good, as a person asks for; return False if it is not unread."""
    unread = Alert.objects.filter(pk=alert.pk, status=Status.UNREAD)
    with transaction.atomic():
        if not unread.update(status=Status.RESOLVED):
            return False
        acts.record(acts.Kind.RESOLVE, f"alert of {alert.sender}", who=who, at=now)
    return True


def _body(alert: Alert) -> Body:
    text = kept_text(alert.body, is_base64=alert.is_base64)
    return Body(text, alert.body, is_base64=alert.is_base64)


def _mark(alert: Alert, taking: Taking, who: str, now: datetime) -> None:
    """Let the row name the one signal that it became, or what else came of it."""
    rows, taken = Alert.objects.filter(pk=alert.pk, status=Status.UNREAD), taking.taken
    names = ", ".join([*taken.signals, *taken.exits])
    is_known = Alert.objects.filter(signal_id__in=taken.signals).exists()
    if len(taking.signals) == len(taking.orders) == 1 and not is_known:
        order = taking.orders[0]
        rows.update(
            status=Status.WAITING, signal_id=names, symbol=order.symbol, side=order.opens,
            price=order.price, result="read again", faults=[],
        )  # fmt: skip
    else:
        rows.update(status=Status.RESOLVED, result=f"read again: {names}")
    signal_id = taken.signals[0] if len(taken.signals) == 1 else ""
    acts.record(
        acts.Kind.RETRY, f"alert of {alert.sender}", who=who, at=now, signal_id=signal_id,
        after=names,
    )  # fmt: skip
