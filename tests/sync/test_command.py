"""`sync_signals` against a real Alpine on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.breaker import FAILURE_THRESHOLD
from tests.installation import Installation
from tests.legacy import legacy_database, legacy_rows
from tests.samples import a_signal
from tests.sync.alpine_server import Alpine, accept, answer, running
from tests.sync.installations import settings_of


@pytest.fixture
def alpine() -> Iterator[Alpine]:
    with running() as alpine:
        yield alpine


@pytest.fixture
def argo(installation: Installation, alpine: Alpine) -> Installation:
    """Return an installation with five signals to send to this Alpine."""
    argo = Installation(installation.folder, settings_of(alpine))
    lines = "".join(json.dumps(a_signal(signal_id=f"s{n}")) + "\n" for n in range(5))
    argo.manage("log_signal", stdin=lines).check_returncode()
    return argo


def test_it_sends_due_deliveries_and_reports_them(argo: Installation, alpine: Alpine) -> None:
    answered = argo.manage("sync_signals")
    assert (answered.returncode, answered.stdout.split(",")[0]) == (0, "5 delivered")
    assert dict(alpine.times) == {f"s{n}": 1 for n in range(5)}
    status = json.loads(argo.manage("sync_signals", "--status", "--json").stdout)
    assert (status["state"], status["delivered"], status["pending"]) == ("on", 5, 0)
    assert status["last_hour"] == {
        "delivered": 5, "dead": 0, "success_rate": 1.0, "at_least": False,
    }  # fmt: skip


def test_dead_letters_are_reported_and_sent_again(argo: Installation, alpine: Alpine) -> None:
    alpine.choose = lambda signal_id, _: answer(422) if signal_id in ("s1", "s2") else accept
    answered = argo.manage("sync_signals")
    assert answered.returncode == 1
    assert "2 deliveries are dead" in answered.stderr
    alpine.always(accept)
    one = argo.manage("sync_signals", "--retry-dead", "--id", "s1", "--json")
    assert json.loads(one.stdout) == {"queued": 1}
    assert argo.manage("sync_signals").stdout.startswith("1 delivered")
    later = argo.manage("sync_signals", "--retry-dead", "--since", "2999-01-01T00:00:00Z")
    assert later.stdout.startswith("0 ")
    assert argo.manage("sync_signals", "--retry-dead").stdout.startswith("1 ")
    assert argo.manage("sync_signals").stdout.startswith("1 delivered")


@pytest.mark.parametrize(
    "options",
    [
        ["--since", "2999-01-01T00:00:00Z"],
        ["--retry-dead", "--since", "yesterday"],
        ["--reconcile", "-5"],
        ["--reconcile", "99999999999999999999"],
    ],
)
def test_invalid_options_are_wrong_usage(installation: Installation, options: list[str]) -> None:
    assert installation.manage("sync_signals", *options).returncode == 2


def test_an_alpine_without_the_query_is_reported_in_one_line(argo: Installation) -> None:
    argo.manage("sync_signals").check_returncode()
    answered = argo.manage("sync_signals", "--reconcile", "5")
    assert answered.returncode == 1
    assert "does not say which signals it has" in answered.stderr
    assert "Traceback" not in answered.stderr


def test_without_a_key_nothing_is_sent(installation: Installation) -> None:
    answered = installation.manage("sync_signals")
    assert answered.returncode == 2
    assert "ALPINE_API_KEY" in answered.stderr


def test_an_imported_signal_that_cannot_be_sent_delays_no_other(
    argo: Installation, alpine: Alpine, tmp_path: Path
) -> None:
    rows = legacy_rows(FAILURE_THRESHOLD + 3)
    for number, row in enumerate(rows[:-1]):
        row["signal_id"] = f"\u2192{number}"
    rows[-1]["symbol"] = b"AAPL"
    legacy_database(tmp_path / "old.db", rows)
    imported = argo.manage("import_signals", "--sync", str(tmp_path / "old.db"))
    assert "symbol: contains bytes" in imported.stderr + imported.stdout
    answered = argo.manage("sync_signals", "--json")
    counts = json.loads(answered.stdout)
    assert (counts["delivered"], counts["dead"]) == (5, FAILURE_THRESHOLD + 2)
    assert "cannot be sent" in answered.stderr
    assert json.loads(argo.manage("sync_signals", "--status", "--json").stdout)["state"] == "on"


@pytest.mark.parametrize(
    "endpoint",
    ["http://", "http:///api", "http://exa mple/x", "http://.host/x", "http://user:secret@host/x",
     "http://host:0/x", "http://host/x#y"],
)  # fmt: skip
def test_an_invalid_endpoint_is_refused(installation: Installation, endpoint: str) -> None:
    argo = Installation(installation.folder, {"ALPINE_ENDPOINT": endpoint, "ALPINE_API_KEY": "k"})
    answered = argo.manage("sync_signals", "--status")
    assert answered.returncode != 0
    assert "ALPINE_ENDPOINT" in answered.stderr
    assert "secret" not in answered.stderr
