"""`manage.py replay` fills the ledger from real bars, once, and refuses what there is not."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from signals.models import DeadLetter, Signal

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("replay", *arguments, stdout=out)
    return out.getvalue()


def run_json(*arguments: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(run(*arguments, "--json"))
    return summary


def rows() -> list[tuple[Any, ...]]:
    return list(Signal.objects.order_by("signal_id").values_list())


def test_what_it_says_is_stored_is_stored() -> None:
    summary = run_json("--symbols", "MSFT,FB")
    stored = {name: tally["stored"] for name, tally in summary["by_symbol"].items()}
    assert summary["stored"] == sum(stored.values()) == Signal.objects.count() > 100
    assert stored == {name: Signal.objects.filter(symbol=name).count() for name in ("MSFT", "FB")}
    assert not DeadLetter.objects.exists()


def test_a_second_run_stores_nothing_new_and_says_the_same() -> None:
    first, before = run("--symbols", "MSFT"), rows()
    assert run("--symbols", "MSFT") == first
    assert rows() == before


def test_signals_are_received_at_the_time_of_their_bar() -> None:
    run("--symbols", "FB")
    times = Signal.objects.values_list("timestamp", "context__received_at", "context__origin")
    assert times
    assert all(time == received and origin == "replay" for time, received, origin in times)


def test_the_days_given_are_included() -> None:
    summary = run_json("--symbols", "IBM", "--from", "2008-03-07", "--to", "2008-03-10")
    assert summary["bars"] == 2, "a Friday and a Monday"


def test_days_outside_of_the_data_are_cut_off() -> None:
    assert run_json("--symbols", "FB", "--from", "0001-01-01", "--to", "9999-12-31")["bars"] == 196


def test_a_higher_limit_stores_fewer_and_surer_signals() -> None:
    run("--symbols", "IBM", "--min-confidence", "95")
    confidences = Signal.objects.values_list("confidence", flat=True)
    assert 0 < len(confidences) < 60
    assert min(confidences) >= 95


def test_symbols_are_taken_in_any_case_and_once() -> None:
    assert list(run_json("--symbols", "fb, FB,Fb")["by_symbol"]) == ["FB"]


def test_the_table_has_a_line_for_each_symbol_and_for_all() -> None:
    lines = [line.split() for line in run("--symbols", "FB,GOOG").splitlines()]
    assert [line[0] for line in lines] == ["symbol", "FB", "GOOG", "all"]
    for column in (1, 2, 3):
        assert int(lines[1][column]) + int(lines[2][column]) == int(lines[3][column])


def test_without_a_terminal_there_is_no_progress(capfd: pytest.CaptureFixture[str]) -> None:
    run("--symbols", "FB")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--symbols", "MSFT,TSLA"], "'TSLA'; there are: AAPL, FB, GOOG, IBM, MSFT"),
        (["--symbols", ""], "there are: AAPL, FB, GOOG, IBM, MSFT"),
        (["--from", "2000-02-30"], "--from: '2000-02-30' is not a date.*2000-03-01 to 2013-03-01"),
        (["--to", "yesterday"], "--to: 'yesterday' is not a date"),
        (["--from", "2010-01-02", "--to", "2010-01-01"], "2010-01-02 to 2010-01-01; there are"),
        (["--from", "2014-01-01", "--to", "2015-01-01"], "no day with bars lies in 2014"),
        (["--from", "1990-01-01", "--to", "1991-01-01"], "no day with bars lies in 1990"),
        (["--from", "2014-01-01"], "there are bars from 2000-03-01 to 2013-03-01"),
        (["--min-confidence", "nan"], "--min-confidence: .* is not within 0 to 100"),
        (["--min-confidence", "100.5"], "--min-confidence: .* is not within 0 to 100"),
    ],
)
def test_wrong_usage_is_explained_and_stores_nothing(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        run(*arguments)
    assert refused.value.returncode == 2
    assert not Signal.objects.exists()
