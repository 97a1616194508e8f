"""The commands of execution: trade, stop trading, and show the state."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError, connection, connections
from django.test import override_settings

import manage
from argo.errors import Conflict
from execution.accounts import halts
from execution.brokers.protocol import BrokerError
from execution.management.commands import execute_signals, monitor_positions
from execution.models import Decision, Halt, Order
from signals.management.command import ArgoCommand
from signals.models import Act
from tests.databases import DATABASES
from tests.execution.trading_fixtures import Trading, position_of
from tests.installation import Installation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_desk(trading: Trading, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (execute_signals, monitor_positions):
        monkeypatch.setattr(command, "trading_context", lambda: trading.context)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> tuple[int, str]:
    """Return the exit code and the output."""
    with pytest.raises(CommandError) as error:
        run(*arguments)
    return error.value.returncode, str(error.value)


def no_desk() -> Any:  # noqa: ANN401
    raise Conflict("the settings of the broker do not fit together")


@pytest.mark.parametrize("why", ["", "  ", "a\0b"])
@pytest.mark.parametrize("option", ["--halt", "--resume"])
def test_a_reason_that_is_none_is_wrong_usage(trading: Trading, option: str, why: str) -> None:
    """`--halt "$WHY"` with an empty variable used to trade."""
    signal = trading.log()
    if option == "--resume":
        halts.latch("paper", "drawdown", "lost", trading.clock())
    before = halts.active("paper")
    code, text = refused("execute_signals", option, why)
    assert (code, text[:5]) == (2, "why: ")
    assert halts.active("paper") == before
    assert Decision.objects.get(signal=signal).status == "pending"


def test_an_empty_signal_id_is_not_found(trading: Trading) -> None:
    trading.log()
    assert refused("execute_signals", "--signal", "")[0] == 2
    assert not Order.objects.exists()


def test_settling_takes_a_reason(trading: Trading) -> None:
    held = trading.trade()
    trading.broker.instead["positions"] = lambda: ()
    assert refused("monitor_positions", "--settle", "")[0] == 2
    assert position_of(held).status == "open"


def test_a_halt_stops_trading_until_it_is_lifted(trading: Trading) -> None:
    assert run("execute_signals", "--halt", "the news", "--by", "ann") == (
        "paper is halted by ann: the news\n"
    )
    output = run("execute_signals", "--halt", "again", "--by", "bob")
    assert output == "paper is halted by ann: the news\n"  # it stays as it is
    halt = Halt.objects.get()
    assert (halt.account, halt.reason, halt.latched_by) == ("paper", "the news", "ann")
    trading.log()
    assert "0 executed, 1 skipped" in run("execute_signals")
    assert "Halts lifted: 1" in run("execute_signals", "--resume", "it was nothing")
    assert refused("execute_signals", "--resume", "again")[0] == 1
    trading.log()
    assert "1 executed" in run("execute_signals")


def test_no_reason_commands_the_terminal(trading: Trading) -> None:
    run("execute_signals", "--halt", "evil\x1b]0;title\x07")
    assert r"evil\x1b]0;title\x07" in run("execute_signals", "--status")
    assert "\x1b" not in refused("execute_signals", "--signal", "\x1b[2J")[1]


@pytest.mark.parametrize(
    "arguments", [["--halt", "why"], ["--resume", "why"], ["--status"]], ids=lambda each: each[0]
)
@override_settings(PROP_FIRM="nobody")
def test_who_stops_or_looks_needs_no_broker(
    trading: Trading, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """They do not need settings that pass the checks either."""
    monkeypatch.setattr(execute_signals, "trading_context", no_desk)
    halts.latch("paper", "drawdown", "lost", trading.clock())
    out = StringIO()
    call_command("execute_signals", *arguments, stdout=out, skip_checks=False)
    assert out.getvalue()


def test_who_trades_needs_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute_signals, "trading_context", no_desk)
    assert refused("execute_signals") == (1, "the settings of the broker do not fit together")


def test_a_replays_halt_is_seen_and_lifted(trading: Trading) -> None:
    halts.latch("replay", "prop_firm", "the day has lost too much", trading.clock())
    words = "On another account, replay, trading is halted: the day has lost too much"
    assert words in run("execute_signals", "--status")
    assert "Account replay: trading is halted" in run(
        "execute_signals", "--status", "--account", "replay"
    )
    assert refused("execute_signals", "--resume", "tried")[0] == 1
    assert "Halts lifted: 1" in run("execute_signals", "--resume", "tried", "--account", "replay")
    assert words not in run("execute_signals", "--status")
    assert "replay is halted" in run("execute_signals", "--halt", "x", "--account", "replay")
    assert halts.active("paper") == []


@pytest.mark.parametrize("option", ["--halt", "--resume"])
def test_an_account_that_there_is_not_is_told(trading: Trading, option: str) -> None:
    """A halt of a misspelt account would stop nothing."""
    code, text = refused("execute_signals", option, "why", "--account", "papre")
    assert code == 2
    assert "no account 'papre'; there are paper, replay" in text
    assert not Halt.objects.exists()


@pytest.mark.parametrize("arguments", [[], ["--signal", "x"]], ids=["all", "one"])
def test_no_other_account_is_traded_on(trading: Trading, arguments: list[str]) -> None:
    trading.log()
    code, text = refused("execute_signals", "--account", "replay", *arguments)
    assert (code, text[:11]) == (2, "--account: ")
    assert not Order.objects.exists()


def test_the_status_is_json_too(trading: Trading) -> None:
    halts.latch("paper", "by_hand", "the news", trading.clock())
    output = json.loads(run("execute_signals", "--status", "--json"))
    assert output["state"] == "halted"
    assert output["halts"][0]["latched_at"] == "2025-01-15T15:00:00Z"


def test_without_the_broker_nothing_is_asked_for(trading: Trading) -> None:
    signal = trading.log()
    before = list(Decision.objects.values())
    trading.broker.before["account"] = BrokerError("connection refused", permanent=False)
    code, text = refused("execute_signals", "--signal", signal.signal_id)
    assert (code, text) == (1, "connection refused")
    assert list(Decision.objects.values()) == before


def test_one_signal_is_asked_for(trading: Trading) -> None:
    signal = trading.log()
    asked = ("--signal", signal.signal_id, "--by", "ann", "--why", "the desk agreed")
    assert run("execute_signals", *asked) == "executed.\n"
    assert Decision.objects.get().asked_by == "ann"
    assert [(act.who, act.why) for act in Act.objects.all()] == [("ann", "the desk agreed")]
    assert refused("execute_signals", "--why", "no signal")[0] == 2


def test_why_one_signal_is_not_traded_is_told(trading: Trading) -> None:
    signal = trading.log()
    halts.latch("paper", "drawdown", "lost", trading.clock())
    output = run("execute_signals", "--signal", signal.signal_id)
    assert output.splitlines()[0] == "skipped."
    assert any(line.startswith("- halt: ") for line in output.splitlines())


@pytest.mark.parametrize("command", ["execute_signals", "monitor_positions", "flush_signals"])
def test_a_folder_without_tables_is_told_without_a_traceback(command: str, tmp_path: Path) -> None:
    answer = Installation(tmp_path / "new").manage(command)
    assert answer.returncode == 1
    assert "run manage.py migrate or manage.py up" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.django_db(databases=DATABASES)
@pytest.mark.parametrize(
    ("statement", "output"),
    [("SELECT 1 FROM gone", "run manage.py migrate"), ("SELECT FROM WHERE", None)],
    ids=["a table", "no SQL"],
)
def test_only_a_missing_table_is_told_so(database: str, statement: str, output: str | None) -> None:
    class Asking(ArgoCommand):
        def run(self, options: dict[str, Any]) -> None:
            connections["default"].cursor().execute(statement)

    with pytest.raises(CommandError if output else DatabaseError, match=output):
        call_command(Asking())


@pytest.fixture
def locked(trading: Trading) -> Iterator[None]:
    """Let another connection hold the database, which is waited for only briefly."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=20")
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=30000")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize(
    "arguments",
    [
        ["execute_signals", "--halt", "the news"],
        ["execute_signals", "--halt", "the news", "--json"],
        ["execute_signals"],
        ["monitor_positions"],
        ["monitor_positions", "--settle", "sold by hand"],
        ["monitor_positions", "--reconcile"],
        ["account", "--transfer", "5", "--why", "more"],
        ["api_key", "--create", "mine", "--scopes", "read"],
        ["replay", "--symbols", "AAPL", "--execute"],
        ["sync_signals", "--retry"],
        ["generate_signals"],
    ],
    ids=" ".join,
)
def test_a_command_has_a_sentence_for_a_locked_database(arguments: list[str]) -> None:
    code, text = refused(*arguments)
    assert code == 1
    assert "locked" in text
    assert "again" in text


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize(
    "arguments",
    [["migrate"], ["clearsessions"], ["createsuperuser", "--noinput", "--username", "ann"]],
    ids=lambda each: each[0],
)
def test_a_command_of_django_has_that_sentence_too(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", *arguments, "--skip-checks"])
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "ann@example.com")
    with pytest.raises(SystemExit, match="in use by another process"):
        manage.main()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("locked")
def test_a_locked_database_is_not_taken_for_one_without_json() -> None:
    connection.features = type(connection.features)(connection)
    call_command("check", databases=["default"])


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("attempt to write a readonly database", "who owns the data folder"),
        ("cannot execute INSERT in a read-only transaction", "cannot be written"),
        ("database or disk is full", "free some space"),
        ("disk I/O error", "free some space"),
        ("database disk image is malformed", "rebuild_signals --into"),
        ("file is not a database", "restore a backup"),
        ("database is locked", "in use by another process"),
        ("database table is locked: halts", "in use by another process"),
        ("canceling statement due to lock timeout", "in use by another process"),
        ("deadlock detected", "in use by another process"),
        ("connection to server at localhost failed", "check DATABASE_URL"),
    ],
)
def test_a_database_that_fails_for_now_is_a_sentence(
    message: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*arguments: object, **options: object) -> None:
        raise OperationalError(message)

    monkeypatch.setattr(halts, "lift", failing)
    code, text = refused("execute_signals", "--resume", "over")
    assert code == 1
    assert sentence in text
    assert message in text
