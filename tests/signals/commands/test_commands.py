"""The commands as a user runs them: their output and exit codes."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from signals.ledger.hashing import Hashed, older_sha256_of
from signals.ledger.records import CONTEXT_COLUMNS
from tests.installation import Installation
from tests.legacy import legacy_database, legacy_row, legacy_rows
from tests.samples import a_signal, signals

CALIBRATED = {"raw_confidence": 83.5, "calibration_version": 3}


def _lines(many: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(signal) + "\n" for signal in many)


def _json(installation: Installation, *arguments: str, stdin: str = "") -> tuple[int, Any]:
    answer = installation.manage(*arguments, "--json", stdin=stdin)
    return answer.returncode, json.loads(answer.stdout)


def _rows(installation: Installation) -> int:
    (row,) = installation.query("SELECT count(*) FROM signals")
    count: int = row[0]
    return count


def test_log_signal_takes_a_signal_as_its_argument(installation: Installation) -> None:
    answer = installation.manage("log_signal", json.dumps(a_signal(signal_id="mine")))
    assert (answer.returncode, answer.stdout.split()[0]) == (0, "mine")
    assert installation.query("SELECT signal_id FROM signals") == [("mine",)]


def test_log_signal_twice_stores_each_signal_once(installation: Installation) -> None:
    text = _lines(signals(2500))
    assert _json(installation, "log_signal", stdin=text)[1]["stored"] == 2500
    code, result = _json(installation, "log_signal", stdin=text)
    assert (code, result["stored"], result["already_there"]) == (0, 0, 2500)
    assert _rows(installation) == 2500


def test_log_signal_names_each_refused_line_and_stores_the_others(
    installation: Installation,
) -> None:
    good, bad = signals(2), a_signal(symbol="", confidence=101)
    conflict = a_signal(signal_id="same"), a_signal(signal_id="same")
    text = _lines([good[0], bad, good[1]]) + "nope\n\n5\n" + _lines([*conflict])
    code, result = _json(installation, "log_signal", stdin=text)
    assert (code, result["stored"]) == (1, 3)
    assert [item["line"] for item in result["refused"]] == [2, 4, 6, 8]
    assert "symbol" in result["refused"][0]["error"]
    assert "confidence" in result["refused"][0]["error"]


def test_flush_signals_exits_with_1_if_there_are_dead_letters(installation: Installation) -> None:
    assert _json(installation, "flush_signals") == (
        0,
        {"stored": 0, "duplicates": 0, "changes": 0, "dead": 0},
    )
    installation.journal.append([b"garbage"])
    code, result = _json(installation, "flush_signals")
    assert (code, result["dead"]) == (1, 1)


def test_import_keeps_ids_hashes_and_outcomes(installation: Installation) -> None:
    path = installation.folder / "old.db"
    legacy_database(path, legacy_rows(1500))
    code, result = _json(installation, "import_signals", str(path))
    assert (code, result["stored"]) == (0, 1500)
    with_order = "SELECT * FROM signals ORDER BY id"
    connection = installation.connect()
    connection.execute("ATTACH ? AS old", [str(path)])
    old = connection.execute("SELECT * FROM old.signals ORDER BY id").fetchall()
    connection.close()
    assert installation.query(with_order) == old
    assert installation.query("SELECT DISTINCT origin FROM signal_contexts") == [("import",)]
    assert installation.manage("verify_signals").returncode == 0


def test_verify_names_exactly_the_imported_rows_with_a_wrong_hash(
    installation: Installation,
) -> None:
    rows = legacy_rows(50)
    rows += [legacy_row(100, entry_price=100.0), legacy_row(101, confidence=99.0)]
    rows.append(_hashed_from_whole_numbers(legacy_row(102)))
    legacy_database(installation.folder / "old.db", rows)
    installation.manage("import_signals", str(installation.folder / "old.db"))
    code, result = _json(installation, "verify_signals")
    assert code == 1
    named = {finding["signal_id"] for finding in result["findings"]}
    assert named == {rows[50]["signal_id"], rows[51]["signal_id"]}


def _hashed_from_whole_numbers(row: dict[str, Any]) -> dict[str, Any]:

    row |= {"entry_price": 100.0, "target_price": 110.0, "stop_price": 95.0}
    hashed = Hashed(*(row[name] for name in Hashed._fields))
    return row | {"sha256": older_sha256_of(hashed, row["signal_id"])}


def test_an_interrupted_import_continues(installation: Installation) -> None:
    path = installation.folder / "old.db"
    legacy_database(path, legacy_rows(30))
    installation.manage("import_signals", str(path))
    size = installation.journal.path.stat().st_size
    path.unlink()
    legacy_database(path, legacy_rows(40))
    code, result = _json(installation, "import_signals", str(path))
    assert (code, result["stored"], result["already_there"]) == (0, 10, 30)
    assert installation.journal.path.stat().st_size < size * 1.5
    assert _rows(installation) == 40


def test_import_reports_the_signals_that_it_refuses(installation: Installation) -> None:
    path = installation.folder / "signals.jsonl"
    path.write_text(_lines([a_signal(), {"sha256": "x"}, a_signal(action="HOLD")]) + "nope\n")
    code, result = _json(installation, "import_signals", str(path))
    assert (code, result["stored"]) == (1, 1)
    assert [item["line"] for item in result["refused"]] == [2, 3, 4]


@pytest.mark.parametrize("content", [None, "what,ever\n1,2\n"])
def test_import_of_a_file_without_signals_is_wrong_usage(
    installation: Installation, content: str | None
) -> None:
    path = installation.folder / "what.csv"
    if content is not None:
        path.write_text(content)
    answer = installation.manage("import_signals", str(path))
    assert answer.returncode == 2
    assert "what.csv" in answer.stderr


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_an_export_can_be_imported_elsewhere(
    installation: Installation, migrated_folder: Path, tmp_path: Path, ending: str
) -> None:

    legacy_database(installation.folder / "old.db", legacy_rows(20))
    installation.manage("import_signals", str(installation.folder / "old.db"))
    kept = a_signal(
        note={"a": [1]}, votes=[{"source": "x"}], regime="BULL", sources=3, agreement=0.5,
        **CALIBRATED,
    )  # fmt: skip
    installation.manage("log_signal", json.dumps(kept))
    path = tmp_path / f"signals.{ending}"
    assert installation.manage("export_signals", str(path)).returncode == 0
    other = Installation(shutil.copytree(migrated_folder, tmp_path / "other"))
    assert _json(other, "import_signals", str(path))[1]["stored"] == 21
    assert other.query("SELECT * FROM signals") == installation.query("SELECT * FROM signals")
    query = "SELECT regime, sources, agreement, votes, raw_confidence, calibration_version, extra "
    query += "FROM signal_contexts ORDER BY id"
    assert other.query(query) == installation.query(query)


def test_export_as_a_table_keeps_types(installation: Installation) -> None:
    installation.manage("log_signal", stdin=_lines(signals(5)))
    for ending, read in (("parquet", pq.read_table), ("arrow", _read_arrow)):
        path = installation.folder / f"signals.{ending}"
        code, result = _json(installation, "export_signals", str(path))
        assert (code, result["exported"]) == (0, 5)
        table = read(path)
        assert table.schema.field("timestamp").type == pa.timestamp("us", "UTC")
        assert table.column("entry_price").to_pylist() == [150.5] * 5
        assert table.column("decision").to_pylist() == ["pending"] * 5


def _read_arrow(path: Path) -> pa.Table:
    return pa.ipc.open_stream(path.read_bytes()).read_all()


def test_export_filters_and_writes_to_standard_output(installation: Installation) -> None:
    installation.manage("log_signal", stdin=_lines([a_signal(symbol="IBM"), *signals(3)]))
    answer = installation.manage("export_signals", "-", "--symbol", "ibm", "--decision", "pending")
    assert [json.loads(line)["symbol"] for line in answer.stdout.splitlines()] == ["IBM"]
    before = installation.manage("export_signals", "-", "--as-of", "2025-01-16T00:00:00Z")
    assert (before.returncode, before.stdout) == (0, "")


@pytest.mark.parametrize("wrong", ["--symbol=", "--as-of=2025-01-16"])
def test_export_refuses_a_filter_that_cannot_be_meant(
    installation: Installation, wrong: str
) -> None:
    """An empty one is a variable that was not set: it must not let everything pass."""
    answer = installation.manage("export_signals", "-", wrong)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert wrong.partition("=")[0] in answer.stderr


def test_rebuild_makes_equal_rows(installation: Installation) -> None:
    legacy_database(installation.folder / "old.db", legacy_rows(20))
    installation.manage("import_signals", str(installation.folder / "old.db"))
    installation.manage("log_signal", stdin=_lines(signals(20, note="kept", **CALIBRATED)))
    path = installation.folder / "new.db"
    assert _json(installation, "rebuild_signals", "--into", str(path))[1]["stored"] == 40
    for table, columns in (("signals", "*"), ("signal_contexts", ", ".join(CONTEXT_COLUMNS))):
        connection = installation.connect()
        connection.execute("ATTACH ? AS new", [str(path)])
        new = connection.execute(f"SELECT {columns} FROM new.{table} ORDER BY id").fetchall()
        connection.close()
        assert new == installation.query(f"SELECT {columns} FROM {table} ORDER BY id")


def test_a_rebuilt_database_has_its_sums(installation: Installation) -> None:
    installation.manage("log_signal", stdin=_lines(signals(4)))
    path = installation.folder / "new.db"
    assert installation.manage("rebuild_signals", "--into", str(path)).returncode == 0
    with closing(sqlite3.connect(path)) as rebuilt:
        summed = "SELECT n FROM signal_sums WHERE dimension = 'symbol' AND grain = 'all'"
        assert rebuilt.execute(summed).fetchall() == [(4,)]


def test_verify_finds_altered_sums_and_rebuild_corrects_them(installation: Installation) -> None:
    installation.manage("log_signal", stdin=_lines(signals(3)))
    assert _json(installation, "rebuild_signals", "--sums") == (0, {"summed": 3})
    assert _json(installation, "verify_signals")[1]["sums"] == []
    with closing(installation.connect()) as connection:
        connection.execute("UPDATE signal_sums SET n = 2 WHERE dimension = 'all'")
    answer = installation.manage("verify_signals")
    assert answer.returncode == 1
    assert "rebuild_signals --sums" in answer.stderr
    assert "with the outcome open differs from its signals by" in answer.stdout
    installation.manage("rebuild_signals", "--sums")
    assert installation.manage("verify_signals").returncode == 0


def test_rebuild_overwrites_nothing(installation: Installation) -> None:
    installation.manage("log_signal", stdin=_lines(signals(1)))
    assert installation.manage("rebuild_signals").returncode == 2
    here = str(installation.folder / "signals.db")
    assert installation.manage("rebuild_signals", "--into", here).returncode == 2


def test_keys_are_made_listed_and_revoked(installation: Installation) -> None:
    _, made = _json(installation, "api_key", "--create", "bob", "--scopes", "read")
    _, listed = _json(installation, "api_key", "--list")
    (key,) = listed["keys"]
    assert (key["name"], key["scopes"], key["revoked"]) == ("bob", "read", "")
    assert made["key"].startswith(key["prefix"])
    assert installation.manage("api_key", "--revoke", key["prefix"]).returncode == 0
    assert installation.manage("api_key", "--revoke", key["prefix"]).returncode == 2
    assert installation.manage("api_key", "--create", "x", "--scopes", "all").returncode == 2


def test_a_key_gets_exactly_the_scopes_that_are_named(installation: Installation) -> None:
    installation.manage("api_key", "--create", "both", "--scope", "trade", "--scope", "read")
    installation.manage("api_key", "--create", "none")
    installation.manage("api_key", "--create", "one", "--scope", "admin")
    _, listed = _json(installation, "api_key", "--list")
    assert {key["name"]: key["scopes"] for key in listed["keys"]} == {
        "both": "read,trade", "none": "read,write", "one": "admin",
    }  # fmt: skip
    refused = installation.manage("api_key", "--create", "x", "--scope", "everything")
    assert refused.returncode == 2
    assert "read, write, trade, admin" in refused.stderr


@pytest.mark.parametrize("command", ["log_signal", "import_signals", "export_signals", "api_key"])
def test_wrong_usage_exits_with_2(installation: Installation, command: str) -> None:
    assert installation.manage(command, "--no-such-option").returncode == 2


def test_a_rebuilt_database_leaves_nothing_beside_it(installation: Installation) -> None:
    installation.manage("log_signal", stdin=_lines(signals(3)))
    installation.manage("rebuild_signals", "--into", str(installation.folder / "new.db"))
    assert [path.name for path in installation.folder.glob("new.db*")] == ["new.db"]


def test_verify_reports_dead_letters(installation: Installation) -> None:
    installation.journal.append([b"garbage"])
    installation.manage("flush_signals")
    code, result = _json(installation, "verify_signals")
    assert (code, result["dead_letters"], result["findings"]) == (1, 1, [])


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[1]", b"SQLite format 3\0 and no more"])
def test_import_of_an_unreadable_file_is_wrong_usage(
    installation: Installation, content: bytes
) -> None:
    path = installation.folder / "odd"
    path.write_bytes(content)
    answer = installation.manage("import_signals", str(path))
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr
