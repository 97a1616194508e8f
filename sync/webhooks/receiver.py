"""The receiver of a subscription, as a service that events are sent to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from signals.clock import Clock, utc_now
from sync.http import parse_retry_after
from sync.models import Subscription
from sync.retry import SyncError
from sync.service import Answer
from sync.webhooks.addresses import InsideAddress
from sync.webhooks.posting import NoReply, Reply, post
from sync.webhooks.signing import private_key, signatures

GONE = 410
UNWELL = frozenset({408, 425, 429, *range(500, 600)})
"""Statuses that say that the receiver does not work now, whatever the event."""
MAX_KEPT_CHARACTERS = 1000


@dataclass(frozen=True)
class Receiver:
    """Sends events to one address, signed with these secrets and with Argo's own key.

    Any number of threads may share it. `timeout` is in seconds. `allowed` are the hosts that may be
    inside the machine's own networks.
    """

    url: str
    secrets: Sequence[str] = field(repr=False)
    key: Ed25519PrivateKey = field(repr=False)
    timeout: float = 15.0
    allowed: Collection[str] = ()
    clock: Clock = utc_now

    key_digest = ""
    """There is no key to refuse: the receiver knows events by their signatures."""

    @classmethod
    def of(
        cls, subscription: Subscription, clock: Clock = utc_now, longest: float = float("inf")
    ) -> "Receiver":
        """Return the receiver of a subscription, by the settings."""
        return cls(
            subscription.url,
            valid_secrets(subscription, clock()),
            private_key(),
            min(settings.WEBHOOK_TIMEOUT, longest),
            settings.WEBHOOK_ALLOWED_HOSTS,
            clock,
        )

    def send(self, name: str, body: bytes, *, retries: int = 0) -> Answer:
        """Send one event with a single try: `retries` is ignored, the schedule tries again.

        Raises `SyncError` if the receiver does not accept it.
        """
        try:
            reply = post(
                self.url, body, self._headers(name, body),
                timeout=self.timeout, allowed=self.allowed,
            )  # fmt: skip
        except (NoReply, InsideAddress) as error:
            raise SyncError(str(error), permanent=False, is_transport=True) from error
        if 200 <= reply.status < 300:
            return Answer(reply.status, reply.text[:MAX_KEPT_CHARACTERS])
        raise self._refusal(reply)

    def _headers(self, name: str, body: bytes) -> dict[str, str]:
        timestamp = int(self.clock().timestamp())
        return {
            "Content-Type": "application/json",
            "User-Agent": "Argo",
            "webhook-id": name,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(name, timestamp, body, self.secrets, self.key),
        }

    def _refusal(self, reply: Reply) -> SyncError:
        text = f"{reply.status}: {reply.text}" if reply.text else str(reply.status)
        return SyncError(
            text[:MAX_KEPT_CHARACTERS],
            permanent=False,
            status=reply.status,
            retry_after=parse_retry_after(reply.retry_after, self.clock()),
            is_transport=reply.status in UNWELL,
            ends_target=reply.status == GONE,
        )


def valid_secrets(subscription: Subscription, now: datetime) -> list[str]:
    """Return the secret, and for a day after a rotation the one before."""
    until = subscription.old_secret_until
    is_old_valid = until is not None and now < until
    return [subscription.secret, *([subscription.old_secret] if is_old_valid else [])]
