"""Two selections side by side: what is compared, what is not, and what the comparison says."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from argo.reports.compare.asked import other_side
from argo.reports.compare.comparison import make_comparison
from argo.reports.compare.text import comparison_text
from argo.reports.csv_file import figures_csv
from argo.reports.query import ReportQuery
from argo.reports.schemas import ComparisonOut
from signals.config import journal
from tests.argo.reports.ended import NOW, log, log_closed
from tests.execution.trading_fixtures import Trading

pytestmark = pytest.mark.django_db


def compared(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    one, other = (ReportQuery.model_validate(each).selection(NOW) for each in (a, b))
    return make_comparison(one, other, NOW)


def test_the_better_side_is_named_if_luck_rarely_does_that() -> None:
    log_closed("wwwl" * 10)
    log_closed("wlll" * 10, symbol="MSFT", entry_price=300, target_price=315, stop_price=290)
    found = compared({"symbol": "AAPL"}, {"symbol": "MSFT"})
    rate = found["outcomes"]["win_rate"]
    assert (rate["a"]["value"], rate["b"]["value"]) == (0.75, 0.25)
    assert rate["difference"]["value"] == 0.5
    assert rate["difference"]["better"] == "a"
    assert "A is better by" in found["headline"]
    assert found["headline"].endswith("which luck alone rarely does.")
    assert found["counts"]["win"] == {"a": 30, "b": 10, "difference": 20}
    assert any("about one in twenty" in sentence for sentence in found["assumptions"])
    ComparisonOut.model_validate(json.loads(json.dumps(found, allow_nan=False)))
    text = comparison_text(found)
    assert "symbol AAPL; origin api" in text
    assert "+50.0 (" in text
    rows = list(csv.DictReader(io.StringIO(figures_csv(found))))
    groups = {row["name"]: row for row in rows if row["group"] == "win_rate"}
    assert groups["difference"]["value"] == "0.5"
    assert groups["a"]["unit"] == "share, 0 to 1"


def test_sides_that_do_not_differ_cannot_be_told_from_luck() -> None:
    log_closed("wl" * 16)
    log_closed("lwe" * 11, symbol="MSFT")
    found = compared({"symbol": "AAPL"}, {"symbol": "MSFT"})
    assert found["headline"].endswith("which cannot be told from luck.")


def test_few_signals_are_not_compared() -> None:
    log_closed("w")
    found = compared({"action": "BUY"}, {"action": "SELL"})
    assert found["headline"].startswith("A has 1 closed signals, B 0. That is too few")
    assert found["outcomes"]["win_rate"]["difference"]["null_because"] == "B: no signal has closed"


def test_signals_on_both_sides_allow_no_interval() -> None:
    log_closed("wl" * 15)
    log(1, symbol="MSFT")
    found = compared({}, {"symbol": "AAPL"})
    assert found["shared_signals"] == 30
    rate = found["outcomes"]["win_rate"]["difference"]
    assert (rate["interval"], rate["no_interval_because"]) == (None, "30 signals are on both sides")
    assert "share none" in found["headline"]
    assert compared({}, {})["headline"].endswith("there is nothing to compare.")


def test_one_account_is_no_two_samples_of_the_same_days() -> None:
    trading = Trading.begun(journal())
    trading.trade(100.5)
    trading.move(110.0)
    found = compared({"min_confidence": 0}, {})
    told = found["equity"]["exposure"]["difference"]["no_interval_because"]
    assert told.startswith("both sides are the account paper, with ")


def test_caveats_name_their_side() -> None:
    log(1, origin="replay")
    log(1, symbol="MSFT")
    found = compared({"origin": "replay"}, {"origin": "api"})
    assert any(each.startswith("A: This is no track record") for each in found["assumptions"])
    assert not any(each.startswith("B: This is no") for each in found["assumptions"])


# --- How the other side is asked for ---------------------------------------------------------
def other(texts: list[str], **query: Any) -> dict[str, Any]:  # noqa: ANN401
    now = datetime(2026, 3, 15, 12, tzinfo=UTC)
    asked = other_side(ReportQuery.model_validate(query), texts, now)
    return asked.model_dump(exclude_none=True)


def test_the_other_side_has_the_same_filters_but_for_those_named() -> None:
    found = other(["symbol=MSFT", "strategy="], symbol="AAPL", strategy="trend", action="BUY")
    assert found == {"symbol": "MSFT", "action": "BUY"}


def test_the_previous_period_is_of_the_same_kind() -> None:
    assert other(["previous"], period="this-month") == {"period": "2026-02"}
    assert other(["previous", "action=SELL"], period="2026-W01") == {
        "period": "2025-W52", "action": "SELL",
    }  # fmt: skip


def test_the_previous_time_has_the_same_length_and_ends_a_second_before() -> None:
    since, until = datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 3, 14, 23, 59, 59, tzinfo=UTC)
    found = other(["previous"], since=since, until=until)
    week = timedelta(days=7)
    assert found == {"since": since - week, "until": until - week}


def test_a_period_replaces_times_and_the_other_way_round() -> None:
    since = datetime(2026, 3, 8, tzinfo=UTC)
    assert other(["period=2025"], since=since) == {"period": "2025"}
    assert other([f"since={since.isoformat()}"], period="2025") == {"since": since}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["MSFT"], "'MSFT' is not name=value"),
        (["colour=red"], "--against colour: is unknown; use symbol, "),
        (["period=soon"], "--against period: must be `today`"),
        (["previous"], "--against previous: needs --period, or both"),
        (["since=yesterday"], "--against since: is not a time"),
    ],
)
def test_what_cannot_be_compared_is_named(texts: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        call_command("report", "--against", *texts)
    assert caught.value.returncode == 2


def test_the_command_compares() -> None:
    log_closed("w")
    log_closed("l", symbol="MSFT")
    out = StringIO()
    call_command("report", "--symbol", "AAPL", "--against", "symbol=MSFT", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert (found["a"]["filter"], found["b"]["filter"]) == ({"symbol": "AAPL"}, {"symbol": "MSFT"})
