"""Policies (C2SP tlog-policy): whose signatures count, and how many witnesses it takes."""

import re
from collections.abc import Callable, Mapping, Set
from typing import NamedTuple

from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import COSIGNATURE, ED25519, VerifierKey, parse_key

MOST_POLICY_BYTES = 2**18
NO_QUORUM = "none"
_ALLOWED = re.compile(rb"[\x09\x0a\x20-\x7e\x80-\xff]*")


class Group(NamedTuple):
    """A group of witnesses and groups, which is satisfied if `least` of them are."""

    least: int
    members: tuple[str, ...]


class Policy(NamedTuple):
    """Keys of logs, and what is needed of witnesses. Names are the policy's own."""

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey]
    groups: Mapping[str, Group]
    quorum: str

    def keys_of(self, origin: str) -> list[VerifierKey]:
        """Return the keys that may sign for a log."""
        return [key for key in self.logs if key.name == origin]

    def is_satisfied(self, cosigned: Set[str]) -> bool:
        """Return True if these witnesses are enough."""
        return self.quorum == NO_QUORUM or self._is_satisfied(self.quorum, cosigned)

    def _is_satisfied(self, name: str, cosigned: Set[str]) -> bool:
        """Follow groups in the order of definition, so that no policy takes long."""
        satisfied = set(cosigned)
        for group_name, group in self.groups.items():
            if sum(member in satisfied for member in group.members) >= group.least:
                satisfied.add(group_name)
        return name in satisfied

    def existed_by(self, times: Mapping[str, int]) -> int | None:
        """Return the first time at which enough witnesses had cosigned; None if never."""
        return self._first(sorted(times.values()), lambda time, limit: time <= limit, times)

    def made_after(self, times: Mapping[str, int]) -> int | None:
        """Return the last time at which enough witnesses were still to cosign; None if never."""
        latest = sorted(times.values(), reverse=True)
        return self._first(latest, lambda time, limit: time >= limit, times)

    def _first(
        self, limits: list[int], counts: Callable[[int, int], bool], times: Mapping[str, int]
    ) -> int | None:
        for limit in limits if self.quorum != NO_QUORUM else ():
            if self.is_satisfied({name for name, time in times.items() if counts(time, limit)}):
                return limit
        return None


class _Reading:
    """Collects what the lines of a policy say."""

    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._members: set[str] = set()
        self._publics: set[tuple[int, bytes]] = set()

    def log(self, *words: str) -> None:
        if len(words) not in (1, 2):
            raise BadRecord("needs: log <verifier key> [<url>]")
        self.logs.append(self._key(words[0], ED25519))

    def witness(self, *words: str) -> None:
        if len(words) not in (2, 3):
            raise BadRecord("needs: witness <name> <verifier key> [<url>]")
        self.witnesses[self._new_name(words[0])] = self._key(words[1], COSIGNATURE)

    def group(self, *words: str) -> None:
        if len(words) < 3:
            raise BadRecord("needs: group <name> all|any|<number> <member>...")
        name, wanted, *members = words
        for member in members:
            self._defined(member)
            if member in self._members:
                raise BadRecord(f"{member!r} is a member already")
            self._members.add(member)
        self.groups[self._new_name(name)] = Group(_least(wanted, len(members)), tuple(members))

    def set_quorum(self, *words: str) -> None:
        if len(words) != 1 or self.quorum is not None:
            raise BadRecord("a policy has exactly one line: quorum <name>")
        if words[0] != NO_QUORUM:
            self._defined(words[0])
        self.quorum = words[0]

    def _key(self, text: str, kind: int) -> VerifierKey:
        key = parse_key(text)
        if key.kind != kind:
            wanted = "a log's key has type 0x01, a witness's 0x04"
            raise BadRecord(f"{text[:120]!r} has type {key.kind:#04x}: {wanted}")
        if (kind, key.public) in self._publics:
            raise BadRecord(f"{text[:120]!r} is a key that was named before")
        self._publics.add((kind, key.public))
        return key

    def _defined(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise BadRecord(f"{name!r} is not defined above")

    def _new_name(self, name: str) -> str:
        if name == NO_QUORUM or name in self.witnesses or name in self.groups:
            raise BadRecord(f"the name {name!r} is taken")
        return name


def parse_policy(data: bytes) -> Policy:
    """Return the policy of a file. Raises BadRecord, which names the line."""
    if len(data) > MOST_POLICY_BYTES or not _ALLOWED.fullmatch(data):
        raise BadRecord("a policy is text of at most 256 KiB, without control characters")
    reading = _Reading()
    rules = {
        "log": reading.log,
        "witness": reading.witness,
        "group": reading.group,
        "quorum": reading.set_quorum,
    }
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = re.split(r"[ \t]+", line.strip(" \t"))
        if words[0] and not words[0].startswith("#"):
            _obey(rules, number, words)
    if reading.quorum is None:
        raise BadRecord("the policy has no quorum line: write `quorum none` to ask for no witness")
    return Policy(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum)


def _obey(rules: Mapping[str, Callable[..., None]], number: int, words: list[str]) -> None:
    if words[0] not in rules:
        raise BadRecord(f"line {number} of the policy begins with {words[0][:40]!r}")
    try:
        rules[words[0]](*words[1:])
    except BadRecord as error:
        raise BadRecord(f"line {number} of the policy: {error}") from None


def _least(wanted: str, count: int) -> int:
    words = {"any": 1, "all": count}
    if wanted in words:
        return words[wanted]
    if re.fullmatch("[1-9][0-9]{0,5}", wanted) and int(wanted) <= count:
        return int(wanted)
    raise BadRecord(f"{wanted[:40]!r} is not all, any or a number from 1 to {count}")
