"""A reader who keeps a checkpoint notices whatever its owner takes back."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from signals.record.folder import TileFolder
from signals.record.formats.policy import parse_policy
from signals.record.one_file import source
from signals.record.signing import LogSigner
from signals.record.verifier.cli import WrongUsage, follow_record
from signals.record.verifier.report import Report
from tests.signals.record.sample import POLICY, Record, codes, fill, honest


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def follow(record: Record, kept: Path) -> Report:
    return follow_record(str(record.folder.path), parse_policy(POLICY), str(kept))


def test_the_first_checkpoint_is_kept_and_each_newer_one_that_continues_it(
    tmp_path: Path, kept: Path
) -> None:
    record = honest(tmp_path / "record")
    for number in range(0, 600, 200):  # tiles of two levels
        for _ in range(2):
            assert codes(follow(record, kept)) == set()
            assert kept.read_bytes() == record.checkpoints[-1]
        for each in range(200):
            record.signal(f"more-{number + each}")
        record.checkpoint(mark=False)


@pytest.mark.parametrize("signals", [1, 300])
def test_two_histories_are_found_and_the_known_checkpoint_stays(
    tmp_path: Path, kept: Path, signals: int
) -> None:
    record = honest(tmp_path / "record")
    follow(record, kept)
    known = kept.read_bytes()
    other = Record(tmp_path / "other")
    other.signal("of another history")
    fill(other)
    for number in range(signals):
        other.signal(f"more-{number}")
    other.checkpoint(mark=False)
    report = follow(other, kept)
    assert codes(report) == {"known"}
    assert "another history" in report.text()
    assert kept.read_bytes() == known


def test_a_record_that_shrinks_is_found(tmp_path: Path, kept: Path) -> None:
    record = honest(tmp_path / "record")
    follow(record, kept)
    shorter = Record(tmp_path / "shorter")
    shorter.signal("signal-0")
    shorter.checkpoint(mark=False)
    assert "taken back" in follow(shorter, kept).text()


def test_a_checkpoint_that_the_log_has_not_signed_is_never_kept(tmp_path: Path, kept: Path) -> None:
    forged = fill(Record(tmp_path / "forged", LogSigner("argo.example/record", b"X" * 32)))
    assert codes(follow(forged, kept)) == {"checkpoint"}
    assert not kept.exists()


def test_tiles_that_are_missing_or_altered_prove_nothing(tmp_path: Path, kept: Path) -> None:
    record = honest(tmp_path / "record")
    follow(record, kept)
    record.signal("later")
    record.checkpoint(mark=False)
    (tile,) = (record.folder.path / "tile/0/000.p").glob("20")
    data = tile.read_bytes()
    tile.write_bytes(data[:32] + bytes(32) + data[64:])
    assert codes(follow(record, kept)) == {"known"}
    tile.unlink()
    assert "tile" in codes(follow(record, kept))


def test_what_cannot_be_followed_is_wrong_usage(tmp_path: Path, kept: Path) -> None:
    policy = parse_policy(POLICY)
    with pytest.raises(WrongUsage, match="folder or the address"):
        follow_record(str(tmp_path / "bundle.zip"), policy, str(kept))
    report = follow_record(str(tmp_path), policy, str(kept))
    assert "this is not a record" in report.text()
    honest(tmp_path / "record")
    with pytest.raises(WrongUsage, match="cannot be written"):
        follow_record(str(tmp_path / "record"), policy, str(tmp_path / "none" / "kept"))


def test_the_command_and_the_one_file_do_the_same(tmp_path: Path, kept: Path) -> None:
    record = honest(tmp_path / "record")
    policy = tmp_path / "policy"
    policy.write_bytes(POLICY)
    options = (str(record.folder.path), "--policy", str(policy), "--follow", str(kept))
    call_command("verify_record", *options)
    assert kept.read_bytes() == record.checkpoints[-1]
    TileFolder(record.folder.path)._write("checkpoint", record.checkpoints[0])
    with pytest.raises(CommandError, match="taken back"):
        call_command("verify_record", *options)
    (tmp_path / "verify.py").write_text(source())
    done = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "verify.py"), *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "taken back" in done.stdout
