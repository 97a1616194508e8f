"""The witnesses that the owner of a record names, and how many of them it takes."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import COSIGNATURE, VerifierKey, parse_key

FORM = "<verifier key> <address>, as in witness.example/w1+20324abe+BCms... https://witness.example"


class NamedWitness(NamedTuple):
    """A witness: its key, and the prefix of its addresses without a slash at the end."""

    key: VerifierKey
    url: str

    @property
    def name(self) -> str:
        """Return the name of its key."""
        return self.key.name


class Quorum(NamedTuple):
    """Witnesses, and how many of them must cosign; 0 if there are none."""

    witnesses: tuple[NamedWitness, ...] = ()
    least: int = 0

    def is_reached(self, cosigned: Iterable[str]) -> bool:
        """Return whether witnesses with keys of these names are enough."""
        names = {each.name for each in self.witnesses}
        return 0 < self.least <= len(names.intersection(cosigned))

    def policy(self, logs: Iterable[VerifierKey]) -> bytes:
        """Return the policy (C2SP tlog-policy) that these witnesses and the log's keys make."""
        names = [f"w{number}" for number in range(1, len(self.witnesses) + 1)]
        lines = [f"log {key}" for key in logs]
        lines += [
            f"witness {name} {each.key} {each.url}"
            for name, each in zip(names, self.witnesses, strict=True)
        ]
        if names:
            lines += [f"group enough {self.least} {' '.join(names)}", "quorum enough"]
        else:
            lines.append("quorum none")
        return "".join(f"{line}\n" for line in lines).encode()


def parse_quorum(texts: Sequence[str], least: int = 0) -> Quorum:
    """Return the quorum of witnesses in the form FORM; without `least` it is more than a half.

    Raises BadRecord if a witness cannot be read or is there twice, or there are fewer than `least`.
    """
    witnesses = tuple(map(_witness, texts))
    for kind in ("name", "url"):
        if len({getattr(each, kind) for each in witnesses}) < len(witnesses):
            raise BadRecord(f"two witnesses have the same {kind}")
    if least > len(witnesses):
        raise BadRecord(f"{least} witnesses are needed, and {len(witnesses)} are named")
    return Quorum(witnesses, (least or len(witnesses) // 2 + 1) if witnesses else 0)


def _witness(text: str) -> NamedWitness:
    words = text.split()
    if len(words) != 2:
        raise BadRecord(f"{text[:200]!r} is not a witness: write {FORM}")
    key = parse_key(words[0])
    if key.kind != COSIGNATURE:
        raise BadRecord(f"{words[0][:120]!r} is not a witness's key, which has the type 0x04")
    return NamedWitness(key, _address(words[1]))


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid or not text.isascii() or "?" in text or "#" in text or "@" in text:
        raise BadRecord(f"{text[:200]!r} is not the address of a witness: https://HOST/PATH")
    return text.rstrip("/")
