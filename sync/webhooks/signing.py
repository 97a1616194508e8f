"""Signs what is sent as Standard Webhooks 1.0.0 says: by a shared secret and by Argo's own key.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from signals.files import kept_text

SECRET_PREFIX, PRIVATE_PREFIX, PUBLIC_PREFIX = "whsec_", "whsk_", "whpk_"
SECRET_BYTES, SEED_BYTES = 32, 32
KEY_FILE = "webhooks.key"


def new_secret() -> str:
    """Return a new shared secret."""
    return SECRET_PREFIX + _text(secrets.token_bytes(SECRET_BYTES))


def signatures(
    event_id: str, timestamp: int, body: bytes, shared: Iterable[str], key: Ed25519PrivateKey
) -> str:
    """Return the value of `webhook-signature`: one for each secret, and one by the key."""
    content = f"{event_id}.{timestamp}.".encode() + body
    symmetric = [f"v1,{_text(_hmac(secret, content))}" for secret in shared]
    return " ".join([*symmetric, f"v1a,{_text(key.sign(content))}"])


def private_key() -> Ed25519PrivateKey:
    """Return Argo's own key, which signs all events; make its file the first time.

    Raises `ImproperlyConfigured` if the file holds no key.
    """
    return _key(kept_text(settings.DATA_DIR / KEY_FILE, _new_key), settings.DATA_DIR / KEY_FILE)


def public_key() -> str:
    """Return what receivers verify `v1a` signatures with."""
    return PUBLIC_PREFIX + _text(private_key().public_key().public_bytes_raw())


@lru_cache(maxsize=4)
def _key(text: str, path: Path) -> Ed25519PrivateKey:
    try:
        seed = base64.b64decode(text.removeprefix(PRIVATE_PREFIX), validate=True)
        return Ed25519PrivateKey.from_private_bytes(seed)
    except (binascii.Error, ValueError):
        raise ImproperlyConfigured(
            f"{path} holds no key for events. Restore it from a backup, or delete it: then Argo "
            "makes a new one, and receivers that verify v1a signatures need its public key."
        ) from None


def _new_key() -> str:
    return PRIVATE_PREFIX + _text(secrets.token_bytes(SEED_BYTES))


def _hmac(secret: str, content: bytes) -> bytes:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return hmac.new(key, content, hashlib.sha256).digest()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
