"""The command line of the verifier.

Exit code 0: all that can be checked is right; 1: something is wrong; 2: wrong usage.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from signals.record.formats.encoding import BadRecord
from signals.record.formats.notes import MOST_NOTE_BYTES
from signals.record.formats.policy import Policy, parse_policy
from signals.record.formats.proofs import HEADER, MOST_PROOF_BYTES
from signals.record.verifier.brackets import DELAY
from signals.record.verifier.check import Asked, check_material
from signals.record.verifier.files import Files, folder_files, packed_files
from signals.record.verifier.following import follow
from signals.record.verifier.material import MOST_LINE_BYTES, bundle_material, check_about
from signals.record.verifier.proof_check import check_proofs
from signals.record.verifier.report import Report
from signals.record.verifier.sources import folder_source, is_url, url_source
from signals.record.verifier.whole import check_record

DESCRIPTION = """Check a proof file, a bundle, or a whole record (a folder or an address): the
signatures of log and witnesses, the tree, each revealed line, each outcome, and the times. Exit
with 0 if all is right, 1 if something is wrong, 2 on wrong usage."""


class WrongUsage(Exception):
    """The command line asks for something that cannot be done; the message says what to do."""


def add_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add what says what to check, and against what."""
    add = parser.add_argument
    count = None if required else "?"
    add("what", metavar="BUNDLE|PROOF|DIR|URL", nargs=count, help="what to check")
    add("--policy", required=required, metavar="FILE", help=POLICY_HELP)
    add("--known", metavar="FILE", help="a checkpoint of this log that you kept earlier")
    add("--line", metavar="FILE", help=LINE_HELP)
    add("--outcome", action="append", default=[], metavar="PROOF", help=OUTCOME_HELP)
    add("--follow", metavar="FILE", help=FOLLOW_HELP)
    add("--delay", type=int, default=DELAY, metavar="SECONDS", help=DELAY_HELP)


POLICY_HELP = "the keys that you trust, as a C2SP tlog-policy; do not take them from the bundle"
LINE_HELP = "the journal line that a proof file is about, with a line for each --outcome after it"
OUTCOME_HELP = "the proof file of a change of the signal's outcome, in the order of the lines"
FOLLOW_HELP = (
    "check only that a record at DIR or URL continues the checkpoint in this file, then keep the "
    "newer one there; without the file, begin with what the record shows"
)
DELAY_HELP = "how long after it was received a line may be entered (default: %(default)s)"


class Shown(NamedTuple):
    """What is given beside a proof file: the lines in their order, and the outcomes' proofs."""

    lines: bytes | None = None
    outcomes: Sequence[str] = ()


def verify(what: str, asked: Asked, shown: Shown = Shown()) -> Report:  # noqa: B008  # immutable
    """Check whatever it is. Raises WrongUsage if it cannot be read at all."""
    report = Report()
    if is_url(what):
        check_record(url_source(what), asked, report)
        return report
    path = Path(what)
    if path.is_dir():
        _check_folder(path, asked, report)
    elif _head(path) == HEADER.encode():
        if shown.lines is None:
            raise WrongUsage("a proof file is about one line: give that line with --line FILE")
        proofs = [read_file(each, MOST_PROOF_BYTES) for each in (path, *map(Path, shown.outcomes))]
        check_proofs(proofs, shown.lines.split(b"\n"), asked, report)
    else:
        with path.open("rb") as file:
            _check_files(lambda: packed_files(file), asked, report)
    return report


def follow_record(what: str, policy: Policy, kept: str) -> Report:
    """Check that a record continues the checkpoint in a file, and keep the newer one there.

    The file may be missing, and stays as it is if something is wrong. Raises WrongUsage if it
    cannot be read or written, or if `what` is neither a folder nor an address.
    """
    path, report = Path(kept), Report()
    if not is_url(what) and not Path(what).is_dir():
        raise WrongUsage("--follow takes the folder or the address of a whole record")
    source = url_source(what) if is_url(what) else folder_source(Path(what))
    known = read_file(path, MOST_NOTE_BYTES) if path.exists() else None
    newer = follow(source, policy, known, report)
    if newer != known and not report.faults:
        _replace(path, newer)
    return report


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that it is the old one or the new one, whole."""
    draft = path.with_name(f".{path.name}.new")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise WrongUsage(f"{path} cannot be written: {error.strerror}") from None


def _check_folder(path: Path, asked: Asked, report: Report) -> None:
    if (path / "bundle.json").exists():
        _check_files(lambda: folder_files(path), asked, report)
    else:
        check_record(folder_source(path), asked, report)


def _check_files(open_files: Callable[[], Files], asked: Asked, report: Report) -> None:
    try:
        files = open_files()
        signed = check_material(bundle_material(files), asked, report)
        if signed is not None:
            check_about(files, signed.checkpoint.origin, signed.size)
    except BadRecord as error:
        report.fault("bundle", error)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(HEADER))
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}") from None


def read_file(path: str | Path, most: int) -> bytes:
    """Return a file's content. Raises WrongUsage if it cannot be read or is too large."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > most:
        raise WrongUsage(f"{path} has more than {most} bytes")
    return data


def asked_for(policy: str, known: str | None, delay: int) -> Asked:
    """Return what the reader brings. Raises WrongUsage if a file is missing or not what it is."""
    try:
        found = parse_policy(read_file(policy, 2**20))
    except BadRecord as error:
        raise WrongUsage(f"{policy}: {error}") from None
    if delay < 0:
        raise WrongUsage("--delay is a number of seconds from 0 on")
    return Asked(found, read_file(known, 2**20) if known else None, delay)


def shown_of(line: str | None, outcomes: Sequence[str]) -> Shown:
    """Return what is given beside a proof. Raises WrongUsage if the lines cannot be read."""
    if line is None:
        return Shown(None, outcomes)
    most = MOST_LINE_BYTES * (1 + len(outcomes))
    return Shown(read_file(line, most).removesuffix(b"\n"), outcomes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verifier; return the exit code."""
    parser = argparse.ArgumentParser("verify.py", description=DESCRIPTION)
    add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    try:
        asked = asked_for(options.policy, options.known, options.delay)
        if options.follow:
            report = follow_record(options.what, asked.policy, options.follow)
        else:
            report = verify(options.what, asked, shown_of(options.line, options.outcome))
    except WrongUsage as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report.as_json(), indent=2) if options.json else report.text())
    return 1 if report.faults else 0
