"""An outsider has the one file, a policy, a checkpoint kept earlier, and bundles.

Each of ten frauds that are built into copies of a real bundle is found; the honest one is accepted.
"""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

from signals.clock import utc_now
from signals.ledger.outcomes import record_outcome
from signals.record.formats.notes import Note, parse_note
from signals.record.formats.tiles import decode_entries, encode_entries
from signals.record.log.keys import KeyFiles
from signals.record.one_file import source
from tests.signals.record.log.helpers import ORIGIN
from tests.signals.record.proving.conftest import WITNESSES, Owner
from tests.signals.record.sample import Record

pytestmark = pytest.mark.django_db(transaction=True)
Files = dict[str, bytes]
DRIVER = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("verify", "verify.py")
verify = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify)
found = {}
for name in sys.argv[1:]:
    asked = verify.asked_for("policy", "known", verify.DELAY)
    report = verify.verify(name, asked)
    found[name] = [sorted({each.code for each in report.faults}), report.facts.get("track_record")]
print(json.dumps(found))
"""
"""Runs the one file for many bundles in one process, which has nothing else."""


def unpacked(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Files) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def lines_of(files: Files) -> list[dict[str, object]]:
    return [json.loads(line) for line in files["lines.jsonl"].splitlines()]


def with_lines(files: Files, lines: list[dict[str, object]]) -> None:
    files["lines.jsonl"] = "".join(f"{json.dumps(each)}\n" for each in lines).encode()


def loser_removed(files: Files) -> None:
    """Take out the loser's entry and line, and count the rest anew."""
    entries, lines = decode_entries(files["entries"]), lines_of(files)
    gone = next(int(str(each["index"])) for each in lines if "signal-2" in str(each["line"]))
    del entries[gone]
    kept = [each for each in lines if each["index"] != gone]
    for each in kept:
        each["index"] = int(str(each["index"])) - (int(str(each["index"])) > gone)
    files["entries"] = encode_entries(entries)
    about = json.loads(files["bundle.json"])
    files["bundle.json"] = json.dumps(about | {"last": about["last"] - 1}).encode()
    with_lines(files, kept)


def outcome_edited(files: Files) -> None:
    files["lines.jsonl"] = files["lines.jsonl"].replace(b'\\"loss\\"', b'\\"win\\"')


def price_edited(files: Files) -> None:
    files["lines.jsonl"] = files["lines.jsonl"].replace(b"150.5", b"140.5", 1)


def signal_backdated(files: Files) -> None:
    entries = decode_entries(files["entries"])
    year = str(utc_now().year).encode()
    files["entries"] = encode_entries([each.replace(year, b"2019") for each in entries])
    files["lines.jsonl"] = files["lines.jsonl"].replace(year, b"2019")


def entries_swapped(files: Files) -> None:
    entries = decode_entries(files["entries"])
    entries[2], entries[3] = entries[3], entries[2]
    files["entries"] = encode_entries(entries)


def winner_added(files: Files) -> None:
    entries = decode_entries(files["entries"])
    files["entries"] = encode_entries([*entries[:-1], entries[2]])


def salts_swapped(files: Files) -> None:
    lines = lines_of(files)
    lines[0]["salt"], lines[1]["salt"] = lines[1]["salt"], lines[0]["salt"]
    with_lines(files, lines)


def cosignatures_cut(files: Files) -> None:
    note = parse_note(files["checkpoint"])
    files["checkpoint"] = Note(note.text, note.signatures[:2]).encoded()


def cosignature_forged(files: Files) -> None:
    """Say that a witness has signed, with another witness's signature."""
    note = parse_note(files["checkpoint"])
    log, first, second, *_ = note.signatures
    files["checkpoint"] = Note(
        note.text, (log, first, second._replace(signature=first.signature))
    ).encoded()


FRAUDS: dict[str, tuple[Callable[[Files], None], set[str]]] = {
    "loser-removed": (loser_removed, {"root"}),
    "outcome-edited": (outcome_edited, {"digest"}),
    "price-edited": (price_edited, {"digest"}),
    "backdated": (signal_backdated, {"root"}),
    "swapped-entries": (entries_swapped, {"root"}),
    "winner-added": (winner_added, {"root"}),
    "swapped-salts": (salts_swapped, {"digest"}),
    "too-few-witnesses": (cosignatures_cut, {"witnesses"}),
    "forged-cosignature": (cosignature_forged, {"cosignature", "witnesses"}),
}
"""Each with faults that must be among those which are found."""


def test_ten_frauds_are_found_and_the_honest_bundle_is_accepted(
    owner: Owner, tmp_path: Path
) -> None:
    place = tmp_path / "outsider"
    place.mkdir()
    owner.enter(1, 2)
    owner.cosign(0, 1)
    (place / "known").write_bytes((owner.folder / "record/checkpoint").read_bytes())
    for number, price in ((1, 158.0), (2, 146.0)):
        outcome = "win" if price > 150.5 else "loss"
        record_outcome(f"signal-{number}", outcome=outcome, exit_price=price, who="ann", why="exit",
                       now=utc_now(), journal=owner.journal)  # fmt: skip
    owner.enter(3)
    owner.cosign(1, 2)
    call_command("prove_record", "--since", "2020-01-01T00:00:00Z", "--until",
                 "2100-01-01T00:00:00Z", "--output", str(place / "honest"), "--reveal", "all",
                 "--known", str(place / "known"))  # fmt: skip
    honest = (place / "honest").read_bytes()
    for name, (change, _) in FRAUDS.items():
        files = unpacked(honest)
        change(files)
        assert packed(files) != honest
        (place / name).write_bytes(packed(files))
    (place / "two-histories").write_bytes(second_history(owner, tmp_path / "second"))
    (place / "verify.py").write_text(source(), encoding="utf-8")
    (place / "driver.py").write_text(DRIVER, encoding="utf-8")
    (place / "policy").write_bytes(owner.policy())

    found = verified(place, ["honest", *FRAUDS, "two-histories"])
    faults, figures = found.pop("honest")
    assert faults == []
    assert (figures["closed"], figures["win_rate"]) == (2, 0.5)
    wanted = {name: codes for name, (_, codes) in FRAUDS.items()} | {"two-histories": {"known"}}
    assert {name: set(each[0]) & wanted[name] for name, each in found.items()} == wanted


def second_history(owner: Owner, folder: Path) -> bytes:
    """Return the bundle of a history that the owner wrote anew, with witnesses who never saw the
    first one."""
    other = Record(folder, KeyFiles(owner.folder, ORIGIN).current())
    other.now = utc_now()
    other.enter("strategy", note="test")
    for number in range(6):
        other.signal(f"signal-{number}", strategy="test")
    other.checkpoint(WITNESSES, mark=False)
    return other.bundle()


def verified(place: Path, names: list[str]) -> dict[str, list]:  # type: ignore[type-arg]
    command = [sys.executable, "-I", "-S", "driver.py", *names]
    done = subprocess.run(command, cwd=place, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list] = json.loads(done.stdout)  # type: ignore[type-arg]
    return found
