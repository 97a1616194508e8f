"""Two machines that share a database enter into one public record, which one of them signs."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from signals.record.folder import TileFolder
from signals.record.formats.entries import Entry, digest_of, parse_entry, salt_of
from signals.record.log.salt import salt_key
from tests.argo.up.conftest import StartUp
from tests.argo.up.processes import wait_until
from tests.argo.up.test_up import READY
from tests.installation import Installation
from tests.samples import signals

pytestmark = [
    pytest.mark.slow,
    pytest.mark.services("postgresql", "rabbitmq"),
]
ORIGIN = "argo.example/record"


def log(argo: Installation, count: int) -> None:
    lines = "".join(f"{json.dumps(each)}\n" for each in signals(count))
    argo.manage("log_signal", stdin=lines).check_returncode()


def published(folder: Path) -> list[Entry]:
    """Return the entries that the record shows."""
    record = TileFolder(folder / "record")
    shown = record.checkpoint()
    if shown is None:
        return []
    return [parse_entry(data) for data in record.tiles(shown.size).entries(0, shown.size)]


def count_of(folder: Path, kind: str) -> int:
    return Counter(each.kind for each in published(folder))[kind]


def digests_of(argo: Installation) -> list[str]:
    """Return the digest of each line of a machine's journal."""
    own = argo.journal
    key = salt_key(own)
    lines = [line for chunk in own.chunks() for line in chunk.lines]
    own.close()
    return [
        digest_of(salt_of(key, own.identity, *line.offset, line.data), line.data) for line in lines
    ]


def test_all_lines_of_both_are_in_one_record_without_a_gap_or_a_fork(
    machines: list[Installation], start_up: StartUp, tmp_path: Path
) -> None:
    one, two, copy = machines
    signing = Installation(one.folder, one.settings | {"RECORD_ORIGIN": ORIGIN})
    for argo in (signing, two):
        start_up(argo).wait_for(re.escape(READY))
    wait_until(lambda: bool(published(one.folder)))
    kept = tmp_path / "kept"
    kept.write_bytes((one.folder / "record" / "checkpoint").read_bytes())
    for _ in range(3):
        for argo in (one, two):
            log(argo, 10)
    wait_until(lambda: count_of(one.folder, "signal") == 60)
    assert not (two.folder / "record").exists()

    found = [each.digest for each in published(one.folder) if each.kind == "signal"]
    for argo in (one, two):
        own = digests_of(argo)
        assert [each for each in found if each in set(own)] == own
    status = json.loads(signing.manage("record", "--json").stdout)
    policy = tmp_path / "policy"
    policy.write_text(f"log {status['verifier_keys'][0]}\nquorum none\n")
    whole = ("verify_record", str(one.folder / "record"), "--policy", str(policy))
    checked = one.manage(*whole, "--known", str(kept))
    assert checked.returncode == 0, checked.stdout + checked.stderr

    second = Installation(two.folder, two.settings | {"RECORD_ORIGIN": ORIGIN})
    refused = second.manage("record")
    assert refused.returncode == 1
    assert "another data folder" in refused.stdout + refused.stderr
    assert copy.settings["DATABASE_URL"] == one.settings["DATABASE_URL"]
