"""Signatures are judged as `cryptography` judges them, and more strictly where that is lax."""

import hashlib
import random
from itertools import product

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from signals.record.formats import ed25519
from signals.record.formats.ed25519 import ORDER, P, is_valid

SMALL_ORDER = [
    bytes.fromhex(each)
    for each in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    )
]
"""The eight points whose order divides 8."""
NOT_CANONICAL = [
    *((y + P | sign << 255).to_bytes(32, "little") for y in range(19) for sign in (0, 1)),
    (1 | 1 << 255).to_bytes(32, "little"),  # x is 0 and has a sign
    (P - 1 | 1 << 255).to_bytes(32, "little"),
]
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(8)]


def judged(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return what OpenSSL says."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def agrees(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether it is valid; what is accepted here must be accepted by OpenSSL too."""
    found = is_valid(public, message, signature)
    assert not found or judged(public, message, signature)
    return found


def test_the_vectors_of_rfc_8032() -> None:
    for public, message, signature in (
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            (
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39"
                "701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            ),
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            (
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f36"
                "13d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            (
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7"
                "60984dc6594a7c15e9716ed28dc027beceea1ec40a"
            ),
        ),
    ):
        parts = [bytes.fromhex(each) for each in (public, message, signature)]
        assert agrees(*parts)
        assert not agrees(parts[0], parts[1] + b"x", parts[2])


def test_thousands_of_random_signatures_are_judged_as_openssl_judges_them() -> None:
    dice = random.Random(8032)
    for number in range(2000):
        key = KEYS[number % len(KEYS)]
        message = dice.randbytes(number % 150)
        public, signature = key.public_key().public_bytes_raw(), key.sign(message)
        if number % 2:
            place, bit = dice.randrange(64), 1 << dice.randrange(8)
            changed = bytearray(signature)
            changed[place] ^= bit
            signature = bytes(changed)
        found = is_valid(public, message, signature)
        assert found is judged(public, message, signature) is (number % 2 == 0)


def test_s_must_be_below_the_order() -> None:
    key = KEYS[0]
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"message")
    s = int.from_bytes(signature[32:], "little")
    for multiple in range(1, 16):
        high = s + multiple * ORDER
        if high < 2**256:
            assert not agrees(public, b"message", signature[:32] + high.to_bytes(32, "little"))


@pytest.mark.parametrize("point", SMALL_ORDER + NOT_CANONICAL)
def test_points_of_small_order_and_other_encodings_are_no_keys(point: bytes) -> None:
    for number in range(2):  # S = 0 or small, R each small point: what OpenSSL may accept
        for r in SMALL_ORDER:
            assert not agrees(point, bytes([number]), r + number.to_bytes(32, "little"))


@pytest.mark.parametrize("point", SMALL_ORDER[:2])
def test_a_key_of_small_order_is_refused_even_if_the_equation_holds(point: bytes) -> None:
    base = ed25519._table(ed25519.BASE_POINT)
    assert base is not None
    commitment = ed25519._encoded(ed25519._add_multiple(ed25519.IDENTITY, base, 5))
    signature = commitment + (5).to_bytes(32, "little")
    messages = [bytes([number]) for number in range(32)]
    taken = [message for message in messages if judged(point, message, signature)]
    assert taken  # OpenSSL takes one signature for several messages
    assert not any(is_valid(point, message, signature) for message in messages)


def test_points_of_small_order_and_other_encodings_are_no_commitments() -> None:
    public = KEYS[0].public_key().public_bytes_raw()
    for point, s in product(SMALL_ORDER + NOT_CANONICAL, (0, 1, ORDER - 1)):
        assert not agrees(public, b"message", point + s.to_bytes(32, "little"))


def test_a_commitment_of_small_order_is_refused_even_if_the_equation_holds() -> None:
    seed = hashlib.sha512(bytes(32)).digest()[:32]
    a = int.from_bytes(seed, "little") & ((1 << 254) - 8) | (1 << 254)
    public = KEYS[0].public_key().public_bytes_raw()
    r = SMALL_ORDER[0]
    hashed = hashlib.sha512(r + public + b"message").digest()
    s = int.from_bytes(hashed, "little") % ORDER * a % ORDER
    signature = r + s.to_bytes(32, "little")
    assert judged(public, b"message", signature)  # OpenSSL takes it
    assert not is_valid(public, b"message", signature)


def test_a_point_of_small_order_added_to_key_or_commitment_is_refused() -> None:
    """A key with a small component fits no equation without cofactor, except by chance."""
    base = ed25519._decoded(KEYS[0].public_key().public_bytes_raw())
    assert base is not None
    for encoded in SMALL_ORDER[1:]:
        small = ed25519._decoded(encoded)
        assert small is not None
        mixed = ed25519._encoded(ed25519._add(base, ed25519._prepared(small)))
        for number in range(4):
            signature = KEYS[0].sign(bytes([number]))
            assert is_valid(mixed, bytes([number]), signature) is judged(
                mixed, bytes([number]), signature
            )
            swapped = mixed + signature[32:]
            assert not agrees(KEYS[0].public_key().public_bytes_raw(), bytes([number]), swapped)


@pytest.mark.parametrize("length", [0, 31, 33, 63, 65, 128])
def test_other_lengths_are_refused(length: int) -> None:
    public, signature = KEYS[0].public_key().public_bytes_raw(), KEYS[0].sign(b"")
    assert not is_valid(public, b"", (signature * 2)[:length] if length != 64 else b"")
    assert not is_valid((public * 4)[:length], b"", signature)


def test_points_that_are_not_on_the_curve_are_no_keys() -> None:
    for y in range(2, 40):
        encoded = y.to_bytes(32, "little")
        signature = KEYS[0].sign(b"")
        assert not agrees(encoded, b"", signature)
