"""Checks a bundle or a record: everything that can be checked, with every fault named."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from signals.record.formats.encoding import BadRecord
from signals.record.formats.entries import Entry, parse_entry
from signals.record.formats.policy import Policy
from signals.record.verifier.brackets import (
    DELAY,
    Bracket,
    brackets,
    check_times,
    posix,
    widths,
)
from signals.record.verifier.figures import track_record, track_records
from signals.record.verifier.history import History
from signals.record.verifier.material import Material
from signals.record.verifier.report import Report
from signals.record.verifier.signatures import Signed, check_quorum, signed_checkpoint
from signals.record.verifier.stamped import VerifyStamp, stamped_times
from signals.record.verifier.tree_check import check_known, check_roots, roots_of_range


class Asked(NamedTuple):
    """What the reader brings: a policy, a checkpoint kept earlier, and more if there is any."""

    policy: Policy
    known: bytes | None = None
    delay: int = DELAY
    verify_stamp: VerifyStamp | None = None


def check_material(material: Material, asked: Asked, report: Report) -> Signed | None:
    """Check everything; return the checkpoint if the log signed it."""
    signed = signed_checkpoint(material.checkpoint, asked.policy, report, "the checkpoint")
    if signed is None:
        return None
    entries = _entries(material, report)
    checkpoints = [signed, *_earlier(material, signed, asked.policy, report)]
    roots = _check_tree(material, checkpoints, _known(asked, report), report)
    growing = _proved(checkpoints, roots) if material.is_growing else []
    check_quorum(signed, asked.policy, report, growing)
    found = _brackets(material, asked, report, entries, checkpoints, roots)
    check_times(entries, found, asked.delay, report)
    _facts(material, signed, entries, found, report)
    _check_lines(material, entries, found, report)
    return signed


def _entries(material: Material, report: Report) -> dict[int, Entry]:
    found = {}
    for index, data in enumerate(material.entries, material.first):
        try:
            found[index] = parse_entry(data)
        except BadRecord as error:
            report.fault("entry", error, index)
    return found


def _earlier(material: Material, last: Signed, policy: Policy, report: Report) -> list[Signed]:
    """Return the checkpoints from before the last one."""
    found = []
    for digest in material.earlier:
        data, what = material.earlier_checkpoint(digest), f"the checkpoint {digest[:16]}"
        signed = None if data is None else signed_checkpoint(data, policy, report, what)
        if signed is not None and signed.digest != digest:
            report.fault("checkpoint", f"{what} has another digest than its name")
        elif signed is not None and signed.checkpoint.origin != last.checkpoint.origin:
            report.fault("checkpoint", f"{what} is of another log")
        elif signed is not None:
            found.append(signed)
    return found


def _known(asked: Asked, report: Report) -> Signed | None:
    if asked.known is None:
        return None
    return signed_checkpoint(asked.known, asked.policy, report, "the known checkpoint")


def _check_tree(
    material: Material, checkpoints: list[Signed], known: Signed | None, report: Report
) -> dict[int, bytes]:
    """Compare roots; return those that the entries make, by size."""
    signed = checkpoints[0]
    sizes = {each.size for each in (*checkpoints, *([known] if known else []))}
    roots: dict[int, bytes] = {}
    try:
        roots = roots_of_range(
            material.entries, material.first, signed.size, material.hashes, sizes
        )
        check_roots(checkpoints, roots, report)
        if known:
            proof = material.consistency(known.size)
            check_known(known, signed, roots, proof, report)
    except BadRecord as error:
        report.fault("root", error)
    return roots


def _brackets(
    material: Material,
    asked: Asked,
    report: Report,
    entries: dict[int, Entry],
    checkpoints: list[Signed],
    roots: dict[int, bytes],
) -> dict[int, Bracket]:
    """Return brackets; only a checkpoint over just these entries says by when they existed."""
    stamped = stamped_times(material.stamps, checkpoints, asked.verify_stamp, report)
    proved = _proved(checkpoints, roots)
    digests = {each.digest for each in proved}
    held = [(each.size, time) for each, time in stamped if each.digest in digests]
    held += _held(proved, asked.policy.existed_by)
    after = dict(_by_digest(checkpoints, asked.policy))
    marks: dict[int, datetime] = {}
    unknown = 0
    for index, entry in entries.items():
        if entry.kind == "mark" and entry.digest in after:
            size, made_after = after[entry.digest]
            if size > index:
                report.fault("mark", f"marks a checkpoint of {size} entries, with itself", index)
            elif made_after is not None:
                marks[index] = made_after
        unknown += entry.kind == "mark" and entry.digest not in after
    if unknown:
        report.remark(f"{unknown} marks are of checkpoints that are not here: they prove nothing")
    return brackets(entries, held, marks)


def _proved(checkpoints: Iterable[Signed], roots: dict[int, bytes]) -> list[Signed]:
    """Return the checkpoints over just these entries."""
    return [each for each in checkpoints if roots.get(each.size) == each.checkpoint.root]


def _held(
    checkpoints: Iterable[Signed], time_of: Callable[[dict[str, int]], int | None]
) -> list[tuple[int, datetime]]:
    found = ((each.size, time_of(each.times)) for each in checkpoints)
    moments = ((size, None if time is None else posix(time)) for size, time in found)
    return [(size, moment) for size, moment in moments if moment is not None]


def _by_digest(
    checkpoints: Iterable[Signed], policy: Policy
) -> Iterable[tuple[str | None, tuple[int, datetime | None]]]:
    for each in checkpoints:
        time = policy.made_after(each.times)
        yield each.digest, (each.size, None if time is None else posix(time))


def _facts(
    material: Material,
    signed: Signed,
    entries: dict[int, Entry],
    found: dict[int, Bracket],
    report: Report,
) -> None:
    names = {
        kind: [repr(entry.note) for entry in entries.values() if entry.kind == kind]
        for kind in ("strategy", "account", "key")
    }
    report.facts |= {
        "origin": signed.checkpoint.origin,
        "size": signed.size,
        "first": material.first,
        "last": material.first + len(material.entries) - 1,
        "witnesses": {name: str(posix(at) or at) for name, at in signed.times.items()},
        "entries": dict(Counter(entry.kind for entry in entries.values())),
        **{f"named_{kind}": each for kind, each in names.items() if each},
        "brackets_of_time": widths(found.values()),
    }


def _check_lines(
    material: Material, entries: dict[int, Entry], found: dict[int, Bracket], report: Report
) -> None:
    history = History(entries, report)
    try:
        for revealed in material.lines:
            history.add(revealed)
    except BadRecord as error:
        report.fault("line", error)
    history.follow()
    if material.first == 0:
        _check_names(entries, history, report)
    report.facts["track_record"] = track_record(history)
    report.facts["strategies"] = track_records(history)
    report.facts["signals"] = [
        each.as_json() | found[each.index].as_json() for each in history.signals.values()
    ]


def _check_names(entries: dict[int, Entry], history: History, report: Report) -> None:
    """Note each strategy that has a live signal before it was named."""
    named = {e.note: index for index, e in reversed(entries.items()) if e.kind == "strategy"}
    late = {
        each.strategy
        for each in history.signals.values()
        if each.kind == "signal" and each.index < named.get(each.strategy, 2**63)
    }
    for name in sorted(late):
        report.fault("strategy", f"the strategy {name!r} has signals, and was not named before")
