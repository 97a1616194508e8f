"""Ed25519 verification (RFC 8032), strict, with Python's integers alone.

Refused beside wrong signatures: an S that is not below the group's order, encodings of points that
are not canonical, and points of small order, with which one signature can fit several messages. So
whatever is accepted here is accepted by every other implementation too. Verifying handles nothing
secret, so it need not take constant time.
"""

import hashlib
from functools import lru_cache

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
BASE_POINT = (4 * pow(5, -1, P) % P).to_bytes(32, "little")

Point = tuple[int, int, int, int]
"""X, Y, Z and T, with x = X/Z, y = Y/Z and xy = T/Z."""
Prepared = tuple[int, int, int, int]
"""Y+X, Y-X, 2Z and 2dT of a point that is often added."""
IDENTITY: Point = (0, 1, 1, 0)
WINDOWS = 64


def is_valid(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return True if the signature of 64 bytes is the key's, of exactly this message."""
    if len(public) != 32 or len(signature) != 64:
        return False
    encoded_r, s = signature[:32], int.from_bytes(signature[32:], "little")
    table = _table(public)
    if s >= ORDER or table is None:
        return False
    hashed = hashlib.sha512(encoded_r + public + message).digest()
    k = int.from_bytes(hashed, "little") % ORDER
    base = _table(BASE_POINT)
    assert base is not None  # noqa: S101  # for mypy
    found = _add_multiple(_add_multiple(IDENTITY, base, s), table, ORDER - k)
    return _encoded(found) == encoded_r and not _is_of_small_order(found)


@lru_cache(maxsize=64)
def _table(encoded: bytes) -> list[list[Prepared]] | None:
    """Return 1 to 8 times 16**n times a point, for each n; None if the point is not acceptable.

    With it a multiplication is 64 additions. It takes some milliseconds; keys are few.
    """
    point = _decoded(encoded)
    if point is None or _is_of_small_order(point):
        return None
    table = []
    for _ in range(WINDOWS):
        row, prepared = [], _prepared(point)
        multiple = point
        for _ in range(7):
            row.append(_prepared(multiple))
            multiple = _add(multiple, prepared)
        row.append(_prepared(multiple))
        table.append(row)
        point = _add(multiple, row[-1])
    return table


def _add_multiple(total: Point, table: list[list[Prepared]], scalar: int) -> Point:
    """Return `total` plus `scalar` times the table's point."""
    for row in table:
        digit = scalar & 15
        scalar >>= 4
        if digit > 8:
            scalar += 1
            plus, minus, z2, t2d = row[15 - digit]
            total = _add(total, (minus, plus, z2, -t2d))
        elif digit:
            total = _add(total, row[digit - 1])
    return total


def _add(point: Point, prepared: Prepared) -> Point:
    """Add two points; the formula holds for all pairs (RFC 8032, section 5.1.4)."""
    x, y, z, t = point
    plus, minus, z2, t2d = prepared
    a, b = (y - x) * minus % P, (y + x) * plus % P
    c, d = t * t2d % P, z * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _prepared(point: Point) -> Prepared:
    x, y, z, t = point
    return (y + x) % P, (y - x) % P, 2 * z % P, 2 * D * t % P


def _decoded(encoded: bytes) -> Point | None:
    """Return the point; None if there is none or it has another, canonical encoding."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    x = _x_of(y, sign) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def _x_of(y: int, sign: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _encoded(point: Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little")


def _is_of_small_order(point: Point) -> bool:
    for _ in range(3):
        point = _add(point, _prepared(point))
    return point[0] == 0
