"""Makes, ends and enables subscriptions, and changes their secrets.

A subscription is never deleted: what was sent to it stays. While it is not active nothing is queued
for it, and what waits is kept until it is enabled again.
"""

import logging
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from argo.errors import Conflict, FieldError, InvalidInput, NotFound
from signals import acts
from signals.events import EventType
from sync.models import Breaker, EventDelivery, Subscription
from sync.webhooks.addresses import checked_url
from sync.webhooks.outbox import wake_sender
from sync.webhooks.signing import new_secret

logger = logging.getLogger(__name__)
State = Subscription.State
OLD_SECRET_FOR = timedelta(days=1)
"""How long the secret before a rotation signs too, so that receivers can change it meanwhile."""
LONGEST_NAME = 100
NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9 ._-]{{0,{LONGEST_NAME - 1}}}")
RESERVED = "events"
"""A name that would be read as another address of the API."""
ALL = "all"
BY_RECEIVER = "receiver"


def create(
    name: str, url: str, types: Sequence[str], *, now: datetime, who: str = acts.COMMAND_LINE
) -> Subscription:
    """Make a subscription. Its `secret` is shown to whoever made it, and never again.

    Raises InvalidInput, with every fault, and Conflict if the name is taken.
    """
    wanted = _checked(name, url, types)
    try:
        with transaction.atomic():
            made = Subscription.objects.create(
                **wanted, secret=new_secret(), made_by=who, made_at=now, changed_at=now
            )
            _record(made, now, who, before="", after=f"gets {', '.join(made.types)}")
    except IntegrityError as error:
        if Subscription.objects.filter(name=wanted["name"]).exists():
            raise Conflict(
                f"There is a subscription {name!r} already. Choose another name."
            ) from error
        raise
    return made


def named(name: str) -> Subscription:
    """Return the subscription with this name. Raises NotFound."""
    found = None if "\0" in name else Subscription.objects.filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no subscription {name!r}. See webhook --list.")
    return found


def revoke(
    subscription: Subscription, why: str, *, now: datetime, who: str = acts.COMMAND_LINE
) -> None:
    """End an active subscription. Raises Conflict if it is not active."""
    _end(subscription, State.REVOKED, why or f"revoked by {who}", now, who)


def end_for_receiver(subscription: Subscription, why: str, now: datetime) -> None:
    """End a subscription whose receiver wants nothing more; do nothing if it is not active."""
    try:
        _end(subscription, State.ENDED, why, now, BY_RECEIVER)
    except Conflict:
        return
    logger.error("The subscription %r is ended: %s", subscription.name, why)


def enable(subscription: Subscription, *, now: datetime, who: str = acts.COMMAND_LINE) -> None:
    """Make a subscription active again; what waits is sent. Raises Conflict if it is active."""
    with transaction.atomic():
        ended = Subscription.objects.filter(pk=subscription.pk).exclude(state=State.ACTIVE)
        before = f"{subscription.state}: {subscription.reason}"
        if not ended.update(state=State.ACTIVE, reason="", changed_at=now):
            raise Conflict(f"The subscription {subscription.name!r} is active already.")
        Breaker.objects.filter(target=f"webhook:{subscription.pk}").delete()
        _record(subscription, now, who, before=before, after="active")
    wake_sender()


def rotate_secret(
    subscription: Subscription, *, now: datetime, who: str = acts.COMMAND_LINE
) -> str:
    """Give it a new secret, and return that; the one before signs too for a day."""
    secret = new_secret()
    with transaction.atomic():
        Subscription.objects.filter(pk=subscription.pk).update(
            secret=secret,
            old_secret=subscription.secret,
            old_secret_until=now + OLD_SECRET_FOR,
        )
        _record(subscription, now, who, before="", after="has a new secret")
    return secret


def is_active(pk: int) -> bool:
    """Return whether events may be sent to it now."""
    return Subscription.objects.filter(pk=pk, state=State.ACTIVE).exists()


def waiting(subscription: Subscription) -> int:
    """Return how many events wait for it."""
    return EventDelivery.objects.filter(
        subscription=subscription, status__in=["pending", "sending"]
    ).count()


def _end(subscription: Subscription, state: State, why: str, now: datetime, who: str) -> None:
    with transaction.atomic():
        active = Subscription.objects.filter(pk=subscription.pk, state=State.ACTIVE)
        if not active.update(state=state, reason=why[:1000], changed_at=now):
            raise Conflict(f"The subscription {subscription.name!r} is not active.")
        _record(subscription, now, who, before="active", after=state.value, why=why)


def _record(
    subscription: Subscription, now: datetime, who: str, *, before: str, after: str, why: str = ""
) -> None:
    about = f"subscription {subscription.name}"
    acts.record(acts.Kind.OTHER, about, who=who, at=now, before=before, after=after, why=why)


def _checked(name: str, url: str, types: Sequence[str]) -> dict[str, object]:
    """Return the checked values. Raises InvalidInput with every fault."""
    faults = _name_faults(name.strip()) + _type_faults(types)
    try:
        url = checked_url(url, settings.WEBHOOK_ALLOWED_HOSTS)
    except InvalidInput as error:
        faults += error.errors
    if faults:
        raise InvalidInput(faults)
    return {"name": name.strip(), "url": url, "types": _in_order(types)}


def _name_faults(name: str) -> list[FieldError]:
    if NAME.fullmatch(name) and name != RESERVED:
        return []
    message = (
        f"must be 1 to {LONGEST_NAME} letters, digits, spaces or ._- that begin with a letter or "
        f"digit, and not {RESERVED!r}"
    )
    return [FieldError("name", message)]


def _type_faults(types: Sequence[str]) -> list[FieldError]:
    unknown = sorted(set(types) - set(EventType) - {ALL})
    if types and not unknown:
        return []
    known = ", ".join(EventType)
    message = f"{', '.join(unknown)} is unknown" if unknown else "must name at least one"
    return [FieldError("types", f"{message}; there are {known}, and {ALL}")]


def _in_order(types: Sequence[str]) -> list[str]:
    return [kind.value for kind in EventType if ALL in types or kind in types]
