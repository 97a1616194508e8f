"""A data folder that release 0.1.0 left is migrated, verified, and used on as if it were new."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.installation import Installation
from tests.upgrade.older_folder import SIGNAL, only_in, rows, run_all, tables, unpack, verified

REPLAYED = ("--symbols", "IBM", "--from", "2008-01-01", "--min-confidence", "60")
"""As the release had begun to replay; it was killed on the way to the end of 2008."""
PENDING = 2
"""Signals that the release had acknowledged and not stored yet."""
DEAD = 3
"""Lines of its journal that are no signals, or of a signal that it has already."""


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as the release left it: only to be read."""
    folder = tmp_path_factory.mktemp("older")
    unpack(folder)
    return folder


@pytest.fixture(scope="module")
def migrated(older: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after `manage.py migrate`: only to be read."""
    folder = tmp_path_factory.mktemp("migrated") / "data"
    shutil.copytree(older, folder)
    Installation(folder).manage("migrate", "--verbosity", "0").check_returncode()
    return folder


@pytest.fixture
def argo(migrated: Path, tmp_path: Path) -> Installation:
    """The migrated folder, to be used."""
    folder = tmp_path / "argo"
    shutil.copytree(migrated, folder)
    return Installation(folder, {"PAPER_FEE": "0.05"})


def test_every_table_has_rows_to_migrate(older: Path) -> None:
    there = tables(older)
    assert len(there) > 20
    assert [name for name, columns in there.items() if not rows(older, name, columns)] == []


def test_migrating_changes_and_loses_no_row(older: Path, migrated: Path) -> None:
    before, after = tables(older), tables(migrated)
    assert [*only_in(before, after)] == []
    for table, columns in before.items():
        assert rows(migrated, table, columns) == rows(older, table, columns), table


def test_its_keys_may_do_what_they_could_and_those_that_may_trade_are_named(
    argo: Installation,
) -> None:
    listing, checking = run_all(
        argo, ["api_key", "--list", "--json"], ["check", "--database", "default"]
    )
    keys = json.loads(listing.output)["keys"]
    assert {key["name"]: key["scopes"] for key in keys} == {
        "writer": "read,write,trade", "reader": "read", "old": "read,write,trade",
    }  # fmt: skip
    (line,) = [line for line in checking.errors.splitlines() if "argo.W010" in line]
    assert "writer (argo_" in line
    assert "old (" not in line  # revoked
    assert "reader" not in line


def test_it_verifies_as_before_takes_new_signals_and_is_rebuilt_from_its_journal(
    older: Path, argo: Installation
) -> None:
    rebuilt = argo.folder / "rebuilt"
    rebuilt.mkdir()
    before, logged, after, rebuilding = run_all(
        argo,
        ["verify_signals", "--json"],
        ["log_signal", SIGNAL],
        ["verify_signals", "--json"],
        ["rebuild_signals", "--into", str(rebuilt / "signals.db")],
    )
    said = json.loads((older / "verified.json").read_text())
    assert said["rows"] > 50
    assert said.items() <= verified(before).items()
    assert logged.code == 0, logged
    assert verified(after)["rows"] == said["rows"] + PENDING + 1
    assert verified(after)["pending"] == 0
    assert rebuilding.code == 1, rebuilding
    assert f"{DEAD} lines became dead letters" in rebuilding.errors
    columns = tables(older)["signals"]
    assert rows(rebuilt, "signals", columns) == rows(argo.folder, "signals", columns)


def test_a_killed_replay_goes_on_with_the_same_trades_and_every_page_shows_them(
    older: Path, argo: Installation
) -> None:
    before = {table: replayed(argo, older, table) for table in ("fills", "positions")}
    going_on, after, visit = run_all(
        argo,
        ["replay", "--execute", *REPLAYED, "--to", "2008-12-31"],
        ["verify_signals", "--json"],
        ["visit"],
    )
    assert going_on.code == 0, going_on
    for table, kept in before.items():
        assert kept < replayed(argo, older, table), table
    assert argo.query("SELECT count(*) FROM positions WHERE account = 'replay' AND mae IS NULL "
                      "AND status = 'closed'") == [(0,)]  # fmt: skip
    verified(after)
    pages: dict[str, int] = json.loads(visit.output)
    in_no_record = {page: 404 for page in pages if re.fullmatch("/api/signals/.+/record", page)}
    assert {page: status for page, status in pages.items() if status != 200} == {
        "/api/feed/stream": 501,  # no web server of Argo runs here
        **in_no_record,
    }
    assert len([page for page in pages if page.startswith("/api/")]) > 150
    assert len([page for page in pages if page.startswith("/admin/")]) > 60


def replayed(argo: Installation, older: Path, table: str) -> set[tuple[object, ...]]:
    """What is final of the account `replay`: fills, and closed positions but for their excursions,
    which are measured once a replay has ended."""
    columns = tables(older)[table]
    wanted = ", ".join(name for name in columns if name not in ("mae", "mfe", "measure_at"))
    final = " AND status = 'closed'" if "status" in columns else ""
    return {*argo.query(f"SELECT {wanted} FROM {table} WHERE account = 'replay'{final}")}
