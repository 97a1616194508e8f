"""`manage.py account`: each change is stated with a reason and is a row."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from execution.management.commands import account
from execution.models import AccountChange, CorporateAction, TradingAccount
from tests.execution.trading_fixtures import Trading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_account(trading: Trading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "trading_context", lambda: trading.context)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("account", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "kind", "amount"),
    [
        (["--transfer", "5000"], "transfer", "5000"),
        (["--transfer", "-2500.50"], "transfer", "-2500.5"),
        (["--starting-balance", "90000"], "starting_balance", "90000"),
        (["--starting-balance", "9e4", "--days-done", "3"], "starting_balance", "90000"),
        (["--begin-stage"], "stage", "100000"),
        (["--begin-stage", "--starting-balance", "50000"], "stage", "50000"),
        (["--begin-stage", "--days-done", "2"], "stage", "100000"),
        (["--restart-count"], "restart", "100000"),
    ],
)
def test_each_change_is_stored_with_its_reason(
    trading: Trading, arguments: list[str], kind: str, amount: str
) -> None:
    found = json.loads(run(*arguments, "--why", "a test", "--by", "ann", "--json"))
    assert (found["change"]["kind"], found["change"]["amount"]) == (kind, amount)
    stored = AccountChange.objects.get()
    assert (stored.kind, stored.why, stored.by) == (kind, "a test", "ann")
    days = arguments[arguments.index("--days-done") + 1] if "--days-done" in arguments else "0"
    assert TradingAccount.objects.get().days_done == int(days)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--transfer", "5000"],
        ["--begin-stage", "--why", " "],
        ["--restart-count", "--why", "a\0b"],
        ["--transfer", "NaN", "--why", "x"],
        ["--transfer", "Infinity", "--why", "x"],
        ["--transfer", "0", "--why", "x"],
        ["--transfer", "five", "--why", "x"],
        ["--transfer", "1e13", "--why", "x"],
        ["--starting-balance", "0", "--why", "x"],
        ["--starting-balance", "-5", "--why", "x"],
        ["--begin-stage", "--starting-balance", "", "--why", "x"],
        ["--begin-stage", "--days-done", "-1", "--why", "x"],
        ["--transfer", "5", "--restart-count", "--why", "x"],
        ["--transfer", "5", "--days-done", "1", "--why", "x"],
        ["--days-done", "1", "--why", "x"],
    ],
)
def test_a_change_that_makes_no_sense_is_wrong_usage(
    trading: Trading, arguments: list[str]
) -> None:
    with pytest.raises(CommandError) as error:
        run(*arguments)
    assert error.value.returncode == 2
    assert not AccountChange.objects.exists()
    assert trading.broker.account().equity == 100_000


def test_without_an_option_the_base_and_the_changes_are_shown(trading: Trading) -> None:
    trading.look()
    run("--transfer", "5000", "--why", "more")
    output = run()
    assert "Account paper counts from 105000.00" in output
    assert "transfer 5000 by command line: more" in output
    assert AccountChange.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--split", "4:1", "--date", "2025-01-14"], "split of AAPL (4 new for 1 old shares)"),
        (["--split", "1:10", "--date", "2025-01-14"], "split of AAPL (1 new for 10 old shares)"),
        (["--rename", "ZZZZ", "--date", "2025-01-14"], "rename of AAPL (the new name ZZZZ)"),
    ],
)
def test_a_corporate_action_is_stated(arguments: list[str], text: str) -> None:
    out = run(*arguments, "--symbol", "aapl", "--why", "a test", "--by", "ann")
    assert out == f"Stored: {text}.\n"
    stored = CorporateAction.objects.get()
    assert (stored.source, stored.by, stored.why) == ("person", "ann", "a test")


@pytest.mark.parametrize(
    ("arguments", "needs"),
    [
        (["--split", "4:1", "--date", "2025-01-14", "--why", "x"], "--symbol"),
        (["--split", "4", "--symbol", "AAPL", "--date", "2025-01-14", "--why", "x"], "NEW:OLD"),
        (["--split", "a:b", "--symbol", "AAPL", "--date", "2025-01-14", "--why", "x"], "NEW:OLD"),
        (["--split", "4:1", "--symbol", "AAPL", "--why", "x"], "--date"),
        (["--split", "4:1", "--symbol", "AAPL", "--date", "14.1.2025", "--why", "x"], "YYYY-MM-DD"),
        (["--split", "4:1", "--symbol", "AAPL", "--date", "2025-01-14"], "why"),
        (["--real-price", "--symbol", "AAPL", "--why", "x"], "not in doubt"),
        (["--rename", "AAPL", "--symbol", "AAPL", "--why", "x"], "already"),
    ],
)
def test_a_corporate_action_that_is_not_clear_is_refused(arguments: list[str], needs: str) -> None:
    with pytest.raises(CommandError, match=needs):
        run(*arguments)
    assert not CorporateAction.objects.exists()
