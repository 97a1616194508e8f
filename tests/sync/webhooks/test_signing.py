"""Events are signed as Standard Webhooks 1.0.0 says, with keys that are made once."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from sync.webhooks import signing, subscriptions
from sync.webhooks.dispatcher import Dispatcher
from tests.sync.conftest import Clock
from tests.sync.webhooks.conftest import Publish, Subscribe
from tests.sync.webhooks.inbox import Got, Inbox

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def verify_by_key(got: Got, public_key: str) -> None:
    raw = base64.b64decode(public_key.removeprefix("whpk_"))
    found = [text for text in got.headers["webhook-signature"].split() if text.startswith("v1a,")]
    signed = f"{got.event_id}.{got.headers['webhook-timestamp']}.".encode() + got.body
    for text in found:
        Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(text[4:]), signed)
    assert len(found) == 1


def test_the_vector_of_the_specification() -> None:
    found = signing.signatures(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [SECRET],
        Ed25519PrivateKey.generate(),
    )  # fmt: skip
    assert found.split()[0] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.django_db(transaction=True)
def test_what_is_sent_verifies_by_the_secret_and_by_the_public_key(
    inbox: Inbox, subscribe: Subscribe, publish: Publish
) -> None:
    secret = subscribe(inbox).secret
    publish(1)
    assert Dispatcher().run().delivered == 1
    (got,) = inbox.got
    found = Webhook(secret).verify(got.body, got.headers)
    assert found["data"] == {"number": 0}
    assert list(found) == ["type", "timestamp", "data"]
    verify_by_key(got, signing.public_key())
    altered = got._replace(body=got.body.replace(b"0", b"1"))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(altered.body, altered.headers)
    with pytest.raises(InvalidSignature):
        verify_by_key(altered, signing.public_key())


@pytest.mark.django_db(transaction=True)
def test_for_a_day_after_a_rotation_both_secrets_verify(
    inbox: Inbox, subscribe: Subscribe, publish: Publish, clock: Clock, settings: Settings
) -> None:
    subscription = subscribe(inbox)
    old, new = subscription.secret, subscriptions.rotate_secret(subscription, now=clock())
    assert new != old
    verified = []
    for hours in (23, 2):
        clock.pass_by(hours * 3600)
        publish(1)
        Dispatcher(clock=clock).run()
        verified.append([_verifies(secret, inbox.got[-1]) for secret in (old, new)])
    assert verified == [[True, True], [False, True]]


def _verifies(secret: str, got: Got) -> bool:
    """Ignore the time, which is that of the test's own clock."""
    webhook = Webhook(secret)
    sent_at = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    made = webhook.sign(got.event_id, sent_at, got.body.decode())
    return made in got.headers["webhook-signature"].split()


def test_the_key_is_private_and_made_once(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: signing.public_key(), range(16)))
    path = settings.DATA_DIR / "webhooks.key"
    assert len(keys) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in settings.DATA_DIR.iterdir()] == ["webhooks.key"]


@pytest.mark.parametrize("content", ["", "whsk_", "whsk_AAAA", "no key", "whsk_" + "A" * 44 + "!"])
def test_a_damaged_key_is_never_replaced_silently(settings: Settings, content: str) -> None:
    path = settings.DATA_DIR / "webhooks.key"
    path.write_text(content)
    with pytest.raises(ImproperlyConfigured, match=r"webhooks\.key holds no key"):
        signing.public_key()
    assert path.read_text() == content


def test_secrets_differ_and_have_the_length_that_the_specification_asks_for() -> None:
    secrets = {signing.new_secret() for _ in range(10)}
    assert len(secrets) == 10
    for secret in secrets:
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64
