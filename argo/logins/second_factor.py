"""The second factor of a login: codes of an app (TOTP, RFC 6238), and recovery codes on paper.

The secret that codes are made from must be stored readable; of a recovery code only its SHA-256 is
stored, which is enough: each has 80 random bits. Each code works once.
"""

import base64
import hashlib
import logging
import secrets
from datetime import datetime
from hmac import compare_digest

import pyotp
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from argo.errors import Conflict, NotFound
from argo.models import RecoveryCode, SecondFactor
from signals import acts
from signals.clock import utc_now

logger = logging.getLogger(__name__)
PASSED = "second_factor"
"""Where a session keeps the id of the second factor that it was opened with."""
ISSUER = "Argo"
RECOVERY_CODES = 10
DRIFT = 1
"""How many steps of 30 seconds the clock of a device may be off."""


def of(user: User) -> SecondFactor | None:
    """Return the user's second factor if it is on."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()


def awaited(request: HttpRequest) -> SecondFactor | None:
    """Return the second factor that a login with a right password still lacks."""
    user = get_user(request)
    factor = of(user) if isinstance(user, User) else None
    return factor if factor is not None and not has_passed(request, factor) else None


def has_passed(request: HttpRequest, factor: SecondFactor) -> bool:
    """Return whether the session was opened with this second factor."""
    return bool(request.session.get(PASSED) == factor.pk)


def let_pass(request: HttpRequest, factor: SecondFactor) -> None:
    """Mark the session as opened with this second factor, under a new key."""
    request.session.cycle_key()
    request.session[PASSED] = factor.pk


def begin(user: User) -> None:
    """Make a new secret, which has no effect until `confirm`. Raises Conflict if it is on."""
    factor, _ = SecondFactor.objects.get_or_create(user=user)
    made = SecondFactor.objects.filter(pk=factor.pk, confirmed_at=None)
    if not made.update(secret=pyotp.random_base32()):
        raise Conflict("Two-factor login is on already: switch it off before you set it up again.")


def begun(user: User) -> SecondFactor | None:
    """Return the user's second factor if it waits for its first code."""
    return SecondFactor.objects.filter(user=user, confirmed_at=None).exclude(secret="").first()


def address_of(factor: SecondFactor) -> str:
    """Return the address that apps read from a QR code (Google Authenticator's key URI format)."""
    totp = pyotp.TOTP(factor.secret)
    return totp.provisioning_uri(name=factor.user.get_username(), issuer_name=ISSUER)


def confirm(factor: SecondFactor, now: datetime) -> list[str]:
    """Switch it on, after a right code, and return its recovery codes."""
    with transaction.atomic():
        if not SecondFactor.objects.filter(pk=factor.pk, confirmed_at=None).update(
            confirmed_at=now
        ):
            raise Conflict("Two-factor login was switched on meanwhile.")
        codes = new_recovery_codes(factor)
        record(factor.user, factor.user, "Switched on two-factor login.")
    return codes


def new_recovery_codes(factor: SecondFactor) -> list[str]:
    """Replace the recovery codes; return the new ones, which cannot be shown again."""
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        factor.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(factor=factor, sha256=_digest(code)) for code in codes
        )
    return codes


def accepts(factor: SecondFactor, code: str, now: datetime) -> bool:
    """Return whether the code is right, and use it up."""
    code = "".join(code.split())
    return _accepts_totp(factor, code, now) or _accepts_recovery(factor, code)


def switch_off(user: User, by: User | None, why: str) -> None:
    """Delete the user's second factor and recovery codes. Raises NotFound if they are missing.

    `by` is None if an operator did it with a command, who has no user.
    """
    if of(user) is None:
        raise NotFound(f"{user.get_username()} has no two-factor login.")
    with transaction.atomic():
        SecondFactor.objects.filter(user=user).delete()
        record(user, by, why)


def record(user: User, by: User | None, what: str) -> None:
    """Keep who changed the user's two-factor login: as an act, in the user's history, and in the
    log."""
    who = by.get_username() if by else "the command second_factor"
    logger.warning("Two-factor login of %r, by %s: %s", user.get_username(), who, what)
    acts.record(
        acts.Kind.USER, f"user {user.get_username()}", at=utc_now(), after=what,
        who=f"admin:{who}" if by else acts.COMMAND_LINE,
    )  # fmt: skip
    if by is not None:
        LogEntry.objects.log_actions(by.pk, [user], CHANGE, what, single_object=True)


def _accepts_totp(factor: SecondFactor, code: str, now: datetime) -> bool:
    """A step counts once: who reads a code over a shoulder cannot use it after its owner."""
    totp = pyotp.TOTP(factor.secret)
    current = totp.timecode(now)
    for step in range(current - DRIFT, current + DRIFT + 1):
        if compare_digest(totp.generate_otp(step).encode(), code.encode(errors="replace")):
            unused = SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step)
            return unused.update(last_step=step) == 1
    return False


def _accepts_recovery(factor: SecondFactor, code: str) -> bool:
    used, _ = factor.recovery_codes.filter(sha256=_digest(code.lower())).delete()
    return used == 1


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _digest(code: str) -> str:
    return hashlib.sha256(code.replace("-", "").encode(errors="replace")).hexdigest()
