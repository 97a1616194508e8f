"""What the commands prove is accepted by `verify_record` and by the one-file verifier."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from signals.clock import utc_now
from signals.ledger.outcomes import record_outcome
from signals.models import Signal
from signals.record.one_file import source
from signals.record.proving import period
from signals.record.proving.checkpoints import latest, latest_witnessed
from signals.record.proving.tiles import TableReader
from tests.signals.record.log.helpers import Node
from tests.signals.record.proving.conftest import Owner

pytestmark = pytest.mark.django_db(transaction=True)
PERIOD = ("--since", "2020-01-01T00:00:00Z", "--until", "2100-01-01T00:00:00Z")


def prove(capsys: pytest.CaptureFixture[str], command: str, *arguments: str) -> dict[str, Any]:
    call_command(command, *arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


class Reader:
    """Somebody without Argo: the one file, and the files that the owner gave."""

    def __init__(self, folder: Path, owner: Owner) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "verify.py").write_text(source(), encoding="utf-8")
        (folder / "policy").write_bytes(owner.policy())

    def check(self, what: Path, *arguments: str) -> dict[str, Any]:
        command = [sys.executable, "-I", "-S", "verify.py", str(what), "--policy", "policy"]
        done = subprocess.run(
            [*command, "--json", *arguments],
            cwd=self.folder, env={}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        assert found["ok"] == (done.returncode == 0)
        return found


@pytest.fixture
def reader(owner: Owner, tmp_path: Path) -> Reader:
    return Reader(tmp_path / "reader", owner)


def test_a_signal_is_proved_by_the_first_witnessed_checkpoint(
    owner: Owner, reader: Reader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner.enter(1, 2, 3)
    size = owner.cosign(0, 2)
    owner.enter(4)
    owner.cosign(0, 1, 2)
    proof = tmp_path / "p.tlog-proof"
    made = prove(capsys, "prove_signal", "signal-2", "--output", str(proof))
    assert (made["size"], made["line"]) == (size, str(tmp_path / "p.line"))
    found = reader.check(proof, "--line", made["line"])
    assert (found["ok"], found["signal_id"], found["kind"]) == (True, "signal-2", "signal")
    assert found["existed_by"]
    assert (tmp_path / "p.line").stat().st_mode & 0o077 == 0
    other = prove(capsys, "prove_signal", "signal-3", "--output", str(tmp_path / "q.tlog-proof"))
    assert not reader.check(proof, "--line", other["line"])["ok"]


def test_a_signal_of_the_past_is_proved_with_the_time_of_its_entry(
    owner: Owner, reader: Reader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner.log(1)
    told = owner.lines()[0].replace(b'"origin":"python"', b'"origin":"import"')
    owner.journal.append([told.replace(b"signal-1", b"signal-9")])
    owner.flush()
    owner.enter(2)
    owner.cosign(0, 1)
    made = prove(capsys, "prove_signal", "signal-9", "--output", str(tmp_path / "p"))
    found = reader.check(tmp_path / "p", "--line", made["line"])
    assert (found["ok"], found["kind"]) == (True, "history")


def test_a_signal_without_a_checkpoint_or_a_line_is_refused(owner: Owner, tmp_path: Path) -> None:
    ask = ("--output", str(tmp_path / "p"))
    with pytest.raises(CommandError, match="no signal") as raised:
        call_command("prove_signal", "signal-1", *ask)
    assert raised.value.returncode == 2
    owner.store(1)
    with pytest.raises(CommandError, match="not in the record yet"):
        call_command("prove_signal", "signal-1", *ask)
    owner.enter()
    with pytest.raises(CommandError, match="not in a signed checkpoint yet"):
        call_command("prove_signal", "signal-1", *ask)
    with pytest.raises(CommandError, match="not a data folder"):
        call_command("prove_signal", "signal-1", *ask, "--journal", str(tmp_path))
    assert not (tmp_path / "p").exists()


def test_the_line_of_another_machine_is_proved_from_its_folder(
    owner: Owner, reader: Reader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Node(tmp_path / "other", "default")
    other.enter(7)
    owner.cosign(1, 2)
    ask = ("signal-7", "--output", str(tmp_path / "p"))
    with pytest.raises(CommandError, match="another machine"):
        call_command("prove_signal", *ask)
    made = prove(capsys, "prove_signal", *ask, "--journal", str(other.folder))
    assert reader.check(tmp_path / "p", "--line", made["line"])["ok"]
    other.journal.close()


def test_a_period_is_proved_with_what_is_shown_of_it(
    owner: Owner, reader: Reader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner.enter(1, 2)
    owner.cosign(0, 1)
    kept = tmp_path / "kept"
    kept.write_bytes((owner.folder / "record/checkpoint").read_bytes())
    record_outcome("signal-1", outcome="win", exit_price=158.0, who="ann", why="target",
                   now=utc_now(), journal=owner.journal)  # fmt: skip
    owner.enter(3)
    owner.cosign(0, 1, 2)
    bundle = tmp_path / "b.zip"
    made = prove(capsys, "prove_record", *PERIOD, "--output", str(bundle), "--reveal", "all",
                 "--known", str(kept))  # fmt: skip
    assert (made["first"], made["shown"], made["newer"]) == (0, 4, 1)
    found = reader.check(bundle, "--known", str(kept))
    assert found["faults"] == []
    figures = found["track_record"]
    assert (figures["shown"], figures["closed"]) == (3, 1)
    third = next(each for each in found["signals"] if each["signal_id"] == "signal-3")
    assert third["made_after"]
    assert third["existed_by"]
    call_command("verify_record", str(bundle), "--policy", str(reader.folder / "policy"))


def test_a_whole_record_is_accepted_while_its_end_is_not_witnessed_yet(
    owner: Owner, reader: Reader
) -> None:
    owner.enter(1)
    owner.publish()
    found = reader.check(owner.folder / "record")
    assert [each["code"] for each in found["faults"]] == ["witnesses"]
    owner.cosign(0, 1)
    owner.enter(2, 3)
    owner.publish()
    found = reader.check(owner.folder / "record")
    assert found["faults"] == []
    assert found["remarks"][0].startswith("the last 3 of 6 entries are newer")


def test_only_chosen_signals_are_shown(
    owner: Owner, reader: Reader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner.enter(1, 2)
    owner.cosign(0, 1)
    bundle = str(tmp_path / "b.zip")
    shown = {
        reveal: prove(capsys, "prove_record", *PERIOD, "--output", bundle, "--reveal", reveal)
        for reveal in ("nothing", "strategy=test,symbol=AAPL", "strategy=other")
    }
    assert [each["shown"] for each in shown.values()] == [0, 2, 0]
    found = reader.check(tmp_path / "b.zip")
    assert found["faults"] == []
    assert found["track_record"]["not_shown"] == 2
    for wrong in ("colour=red", "strategy", "min_confidence=many"):
        with pytest.raises(CommandError, match="--reveal") as raised:
            call_command("prove_record", *PERIOD, "--output", bundle, "--reveal", wrong)
        assert raised.value.returncode == 2


def test_part_of_a_record_is_proved(
    owner: Owner, reader: Reader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner.enter(1, 2)
    owner.cosign(0, 1)
    middle = datetime.now(UTC).isoformat()
    owner.enter(3, 4)
    owner.cosign(1, 2)
    owner.enter(5)
    owner.cosign(1, 2)
    bundle = tmp_path / "b.zip"
    made = prove(capsys, "prove_record", "--since", middle, "--until", "2100-01-01T00:00:00Z",
                 "--output", str(bundle), "--reveal", "all")  # fmt: skip
    assert made["first"] > 3
    found = reader.check(bundle)
    assert found["faults"] == []
    assert [each["signal_id"] for each in found["signals"]] == ["signal-3", "signal-4", "signal-5"]
    with pytest.raises(CommandError, match="no entry"):
        call_command("prove_record", "--since", "2001-01-01T00:00:00Z", "--until",
                     "2002-01-01T00:00:00Z", "--output", str(bundle))  # fmt: skip


def test_limits_are_checked_before_a_bundle_is_written(
    owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.enter(1, 2)
    owner.cosign(0, 1)
    monkeypatch.setattr(period, "MOST_PART_BYTES", 300)
    for reveal, part in (("nothing", "entries"), ("all", "lines")):
        advice = f"the {part} of this time take .* prove several shorter times"
        with pytest.raises(CommandError, match=advice) as raised:
            call_command("prove_record", *PERIOD, "--output", str(tmp_path / "b.zip"), "--reveal",
                         reveal)  # fmt: skip
        assert raised.value.returncode == 2
        monkeypatch.setattr(period, "MOST_PART_BYTES", 700)
    assert not (tmp_path / "b.zip").exists()


def test_a_node_without_tiles_proves_from_the_tables(owner: Owner) -> None:
    owner.enter(*range(300))
    owner.publish()
    checkpoint = latest()
    assert checkpoint is not None
    assert latest_witnessed() is None
    tables, tiles = TableReader(checkpoint.size), owner.disk.folder.tiles(checkpoint.size)
    assert tables.root() == checkpoint.root
    assert tables.entries(250, 260) == tiles.entries(250, 260)
    for index in (0, 255, 256, checkpoint.size - 1):
        assert tables.inclusion(index) == tiles.inclusion(index)
    assert tables.consistency(100) == tiles.consistency(100)


def test_a_changed_line_is_not_proved(owner: Owner, tmp_path: Path) -> None:
    owner.enter(1)
    owner.cosign(0, 1)
    path = owner.journal.path
    path.write_bytes(path.read_bytes().replace(b"150.5", b"150.6"))
    with pytest.raises(CommandError, match="was changed"):
        call_command("prove_signal", "signal-1", "--output", str(tmp_path / "p"))
    assert Signal.objects.count() == 1
