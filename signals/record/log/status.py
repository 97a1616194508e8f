"""How the record stands, for people and programs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from signals.record.formats.encoding import base64_text
from signals.record.log.checkpoints import last_checkpoint
from signals.record.log.disk import Disk
from signals.record.log.opening import Opening
from signals.record.log.refusals import RecordRefused
from signals.record.log.tables import head_of


@dataclass(frozen=True)
class Status:
    """The record as the database and the data folder have it.

    `entered` counts the entries in the tables, `size` those of the last signed checkpoint, whose
    `root` is base64, and `published` those that the folder shows. `verifier_keys` are the key that
    signs and, during a rotation, the next one; empty on a machine that does not sign. `refused`
    says why this machine does not sign.
    """

    origin: str
    verifier_keys: list[str]
    begun_at: datetime | None
    entered: int
    size: int
    root: str
    signed_at: datetime | None
    published: int
    stopped: str
    refused: str

    def text(self) -> str:
        """Return it for a person."""
        lines = [
            f"The public record of {self.origin or 'no origin: RECORD_ORIGIN is not set'}",
            f"  entries:        {self.entered} entered, {self.size} signed, {self.published} shown",
            f"  begun at:       {_moment(self.begun_at)}",
            f"  last signed at: {_moment(self.signed_at)}",
            *(f"  verifier key:   {key}" for key in self.verifier_keys),
            *([f"  NOT SIGNED: {self.refused}"] if self.refused else []),
        ]
        return "\n".join(lines)


def status_of(opening: Opening | None, disk: Disk, using: str = "default") -> Status:
    """Return how the record stands; `opening` is None on a machine that does not sign."""
    head, last = head_of(using), last_checkpoint(using)
    shown, refused, keys = 0, "", list[str]()
    try:
        published = disk.published()
        shown = published.size if published else 0
        if opening is not None:
            opening.check()
            keys = [str(each.key) for each in opening.keys.both()] if opening.keys.exists else []
    except RecordRefused as error:
        refused = str(error)
    return Status(
        origin=head.origin if head else opening.origin if opening else "",
        verifier_keys=keys,
        begun_at=head.begun_at if head else None,
        entered=head.size if head else 0,
        size=last.size if last else 0,
        root=base64_text(bytes(last.root)) if last else "",
        signed_at=last.signed_at if last else None,
        published=shown,
        stopped=head.stopped if head else "",
        refused=refused,
    )


def witness_lines(witnesses: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each witness, and one for what is wrong with it."""
    for each in witnesses:
        done = "has cosigned nothing yet"
        if each["at"]:
            done = f"cosigned {each['size']} entries at {_moment(each['at'])}"
        yield f"  witness:        {each['name']} {done}"
        yield from _trouble(each, is_serious=each["disagrees"])


def stamp_lines(stamps: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each time stamp authority, and one for what is wrong with it."""
    for each in stamps:
        done = "has stamped nothing yet"
        if each["size"]:
            done = f"stamped {each['size']} entries at {_moment(each['at'])}"
        yield f"  time stamps:    {each['url']} {done}"
        yield from _trouble(each)


def _trouble(target: Mapping[str, Any], *, is_serious: bool = False) -> Iterator[str]:
    """Yield what a target answered last, unless it did what it was asked for."""
    if target["state"] in ("", "delivered"):
        return
    what = "DISAGREES" if is_serious else target["state"]
    after = f"; next try at {_moment(target['next_try'])}" if target["next_try"] else ""
    yield f"                  {what}: {target['answer']}{after}"


def _moment(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC" if time else "never"
