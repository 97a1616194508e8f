"""The report: its sections, what it leaves out, what it says, and the command that prints it."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from argo.reports.headline import headline
from argo.reports.page import report_page
from argo.reports.report import make_report
from argo.reports.sections import equity_of
from argo.reports.wording import number_text
from execution.analysis.equity import daily_equity
from execution.analysis.selection import DecidedSelection
from execution.models import Counterfactual, Decision, EquityDay, Position
from signals.config import journal
from signals.models import SignalContext
from tests.argo.reports.ended import NOW, close, log
from tests.execution.trading_fixtures import Trading

pytestmark = pytest.mark.django_db

LATER = datetime(2099, 1, 1, tzinfo=UTC)
SECTIONS = {
    "headline", "made_at", "version", "filter", "origin", "origins", "is_track_record", "counts",
    "outcomes", "equity", "calibration", "sources", "rules", "what_helped", "divergence", "groups",
    "series", "edits", "assumptions",
}  # fmt: skip


def report(**filters: Any) -> dict[str, Any]:  # noqa: ANN401
    return make_report(DecidedSelection(**filters), NOW)


def printed(*options: str) -> str:
    out = StringIO()
    call_command("report", *options, stdout=out)
    return out.getvalue()


def execute_sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_empty_database_has_a_report_without_figures() -> None:
    found = report()
    assert found.keys() == SECTIONS
    assert found["headline"] == "There are no signals to report on."
    assert found["origin"] is None
    assert not found["is_track_record"]
    figures = [*found["outcomes"].values(), found["equity"]["sharpe"], found["calibration"]["ece"]]
    assert all(figure["value"] is None and figure["null_because"] for figure in figures)
    json.dumps(found)
    assert "There are no signals to report on." in printed()


def test_every_kind_is_counted_by_itself() -> None:
    signals = log(5)
    for signal, outcome in zip(signals, ("win", "win", "loss", "expired"), strict=False):
        close(signal, outcome)
    counts = report()["counts"]
    assert {name: counts[name] for name in ("issued", "open", "closed")} == {
        "issued": 5, "open": 1, "closed": 4,
    }  # fmt: skip
    kinds = [counts[name] for name in ("win", "loss", "breakeven", "expired")]
    assert kinds == [2, 1, 0, 1]
    assert report()["outcomes"]["win_rate"] == {
        "value": 0.5, "n": 4, "interval": None, "null_because": None,
        "definition": report()["outcomes"]["win_rate"]["definition"],
    }  # fmt: skip


def test_origins_are_never_mixed() -> None:
    for signal in (*log(3, origin="replay"), *log(1, symbol="MSFT")):
        close(signal, "win")
    found = report()
    assert (found["origin"], found["counts"]["issued"]) == ("replay", 3)
    assert found["origins"] == {"replay": 3, "api": 1}
    assert not found["is_track_record"]
    assert "Signals of other origins are left out: api 1." in found["assumptions"]
    assert any("This is no track record" in sentence for sentence in found["assumptions"])


def test_a_chosen_origin_is_taken_however_few_it_has() -> None:
    log(3, origin="replay")
    log(1, symbol="MSFT")
    found = report(origin="api")
    assert (found["origin"], found["counts"]["issued"]) == ("api", 1)
    assert found["is_track_record"]


def test_filters_select_the_signals() -> None:
    log(2)
    log(3, symbol="MSFT")
    assert report(symbol="MSFT")["counts"]["issued"] == 3
    assert list(report(symbol="MSFT")["groups"]["symbol"]) == ["MSFT"]
    assert report(symbol="MSFT")["filter"] == {"symbol": "MSFT"}


def test_an_edited_outcome_is_named() -> None:
    signal = log(1)[0]
    close(signal, "win")
    assert report()["edits"] == []
    close(signal, "loss")
    found = report()
    (edit,) = found["edits"]
    assert edit["signal_id"] == signal.signal_id
    told = f"Outcomes were changed after they were set, of 1 in all: {signal.signal_id} at "
    assert any(sentence.startswith(told) for sentence in found["assumptions"])


def test_as_of_leaves_out_what_came_later() -> None:
    signals = log(2)
    received = SignalContext.objects.get(pk=signals[-1].pk).received_at
    for outcome in ("win", "loss"):
        close(signals[0], outcome, LATER)
    Counterfactual.objects.create(
        signal=signals[0], entered_at=NOW, expires_at=NOW, outcome="win", profit_loss_pct=1.0,
        ended_at=LATER,
    )  # fmt: skip
    then = report(as_of=received)
    assert then["edits"] == []
    assert then["calibration"]["brier"]["n"] == 0
    assert report()["edits"] != []


def test_few_signals_claim_nothing() -> None:
    for signal in log(2):
        close(signal, "win")
    found = report()
    assert found["headline"].endswith("That is too few to say what they are worth.")
    assert any(sentence.startswith("Only 2 signals") for sentence in found["assumptions"])


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.2, 1.0, "that cannot be told from luck"),
        (0.1, 1.0, "an edge, before costs"),
        (-1.0, -0.1, "a loss, even before costs"),
    ],
)
def test_the_headline_says_what_the_interval_allows(low: float, high: float, verdict: str) -> None:
    interval = {"low": low, "high": high}
    rate = {"value": 0.5, "interval": {"low": 0.4, "high": 0.6}}
    outcomes = {"win_rate": rate, "expectancy_pct": {"value": 0.4, "interval": interval}}
    told = headline({"issued": 100, "closed": 90}, outcomes, "api")
    assert told.endswith(f"(95% interval {low:+.2f}% to {high:+.2f}%): {verdict}.")


def test_a_trade_has_excursions_an_account_and_an_equity() -> None:
    trading = Trading.begun(journal())
    trading.trade(100.5)
    trading.move(110.0)
    found = report()
    assert found["counts"]["executed"] == 1
    assert found["equity"]["account"] == "paper"
    assert found["equity"]["exposure"]["value"] is not None
    assert "Equity of the account paper" in printed()


def test_excursions_are_negative_against_and_positive_for_the_signal() -> None:
    trading = Trading.begun(journal())
    signal = trading.trade(100.5)
    trading.move(110.0)
    Position.objects.filter(pk=signal.pk).update(mae=1.5, mfe=9.0)
    outcomes = report()["outcomes"]
    assert outcomes["average_mae_pct"]["value"] == -1.5
    assert outcomes["average_mfe_pct"]["value"] == 9.0


def test_a_rule_costs_what_the_skipped_signals_would_have_brought() -> None:
    for number, signal in enumerate(log(4)):
        codes = ["held"] if number else ["held", "size"]
        Decision.objects.filter(pk=signal.pk).update(
            status="skipped",
            decided_at=NOW,
            skipped_for=" ".join(codes),
            reasons=[{"code": code, "text": code} for code in codes],
        )
        if number < 3:
            Counterfactual.objects.create(
                signal=signal, entered_at=NOW, expires_at=NOW, outcome="win" if number else "loss",
                profit_loss_pct=6.0 if number else -3.0, ended_at=NOW,
            )  # fmt: skip
    found = report()
    assert found["rules"]["held"]["skipped"] == 4
    assert (found["rules"]["held"]["cost_pct"]["value"], 3) == (
        pytest.approx(3.0), found["rules"]["held"]["cost_pct"]["n"],
    )  # fmt: skip
    assert found["rules"]["size"]["cost_pct"]["value"] == -3.0
    assert found["counts"]["skipped_for"] == {"held": 4, "size": 1}
    assert found["counts"]["open"] == 0, "what was skipped is not open"
    assert found["calibration"]["brier"]["n"] == 3, "the untraded count for the confidence"
    assert found["outcomes"]["win_rate"]["n"] == 0, "and for nothing else"
    assert "held" in printed()


def test_the_confidence_is_judged_by_group_and_over_traded_and_untraded_signals() -> None:
    signals = log(70, data_source="mine")
    for place, signal in enumerate(signals[:40]):
        close(signal, "win" if place % 2 else "loss")
    Counterfactual.objects.bulk_create(
        Counterfactual(
            signal=signal, entered_at=NOW, expires_at=NOW, outcome="loss", ended_at=NOW,
            profit_loss_pct=-3.0,
        )
        for signal in signals[40:60]
    )  # fmt: skip
    found = report()["calibration"]
    assert found["counted"] == {"traded": 40, "untraded": 20, "left_out": 10}
    groups = found["groups"]
    assert groups.keys() == {"data_source", "regime", "strategy", "traded", "calibration"}
    numbers = {
        (by, name): group["brier"]["n"] for by in groups for name, group in groups[by].items()
    }
    assert numbers == {
        ("data_source", "mine"): 60, ("regime", "unknown"): 60, ("strategy", "test"): 60,
        ("traded", "yes"): 40, ("traded", "no"): 20,
    }  # fmt: skip
    assert groups["traded"]["yes"]["uncertainty"]["value"] == 0.25
    few = groups["traded"]["no"]["uncertainty"]
    assert (few["value"], few["null_because"]) == (None, "fewer than 30 signals have ended")
    text = printed()
    assert "Counted: 40 by their recorded outcome, and 20 that were not traded, by" in text
    assert "10 without an outcome are left out." in text
    assert "traded no                               20         -         -         -" in text


def test_a_calibrated_confidence_is_judged_beside_its_raw_one() -> None:
    """Of 40 signals half win: a calibrated 50 is true, and a raw 90 is not."""
    signals = log(40, confidence=50.0, raw_confidence=90.0, calibration_version=2)
    for place, signal in enumerate((*signals, *log(1, symbol="MSFT"))):
        close(signal, "win" if place % 2 else "loss")
    found = report()
    scores = found["calibration"]["groups"]["calibration"]
    assert list(scores) == ["2", "2, raw"]
    assert scores["2"]["brier"]["value"] == pytest.approx(0.25)
    assert scores["2, raw"]["brier"]["value"] == pytest.approx(0.25 + 0.4**2)
    assert any("calibrated one: 40 by version 2." in each for each in found["assumptions"])
    page = report_page(found)
    assert "calibration 2, raw" in page


def test_a_confidence_that_is_no_confidence_is_left_out() -> None:
    """Imported history may have any."""
    for signal in log(2):
        close(signal, "win")
    execute_sql("UPDATE signals SET confidence = 150 WHERE id = (SELECT min(id) FROM signals)")
    found = report()["calibration"]
    assert (found["brier"]["n"], found["counted"]["left_out"]) == (1, 1)


def test_the_command_gives_the_same_as_json() -> None:
    log(2)
    assert json.loads(printed("--json"))["counts"] == report()["counts"]


def test_a_wrong_filter_is_named() -> None:
    with pytest.raises(CommandError, match="--since"):
        call_command("report", "--since", "yesterday")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("win_rate", 0.4032, "40.3%"),
        ("expectancy_pct", 0.398, "+0.40%"),
        ("max_drawdown_days", 964, "964.0 d"),
        ("profit_factor", 1.2345, "1.234"),
        ("sqn", -12345.6, "-12,346"),
    ],
)
def test_figures_are_written_for_people(name: str, value: float, text: str) -> None:
    assert number_text(name, value) == text


# --- The equity of an account ----------------------------------------------------------------
def day(number: int, first: str, last: str, transferred: str = "0") -> None:
    """Store a day of an account; day 0 is a Friday."""
    date = datetime(2026, 1, 9, tzinfo=UTC).date() + timedelta(days=number)
    names = (
        "first_balance", "highest_equity", "highest_balance", "lowest_equity", "last_balance",
    )  # fmt: skip
    EquityDay.objects.create(
        account="a", day=date, marked_at=NOW, first_equity=Decimal(first),
        last_equity=Decimal(last), transferred=Decimal(transferred),
        **dict.fromkeys(names, Decimal(last)),
    )  # fmt: skip


def test_the_equity_follows_the_sessions_of_the_exchange() -> None:
    day(0, "100", "110")
    day(4, "110", "121")  # Tuesday; nobody looked on Monday
    found = daily_equity("a", "XNYS")
    assert found.days.astype(str).tolist() == [
        "2026-01-08", "2026-01-09", "2026-01-12", "2026-01-13",
    ]  # fmt: skip
    assert found.values.tolist() == pytest.approx([100, 110, 110, 121])
    assert found.days_a_year == 252


def test_the_equity_as_of_a_moment_ends_there() -> None:
    day(0, "100", "110")
    day(3, "110", "121")
    EquityDay.objects.filter(last_equity="121").update(marked_at=NOW + timedelta(days=1))
    assert daily_equity("a", "XNYS", as_of=NOW).values.tolist() == pytest.approx([100, 110])


def test_a_deposit_is_no_profit() -> None:
    day(0, "100", "100")
    day(3, "200", "220", transferred="100")
    assert daily_equity("a", "XNYS").values.tolist() == pytest.approx([100, 100, 110])


def test_a_withdrawal_is_no_loss() -> None:
    day(0, "100", "100")
    day(3, "50", "55", transferred="-50")
    assert daily_equity("a", "XNYS").values.tolist() == pytest.approx([100, 100, 110])


def test_a_weekends_change_counts_on_monday() -> None:
    day(0, "100", "100")
    day(1, "100", "90")
    day(3, "90", "99")
    assert daily_equity("a", "XNYS").values.tolist() == pytest.approx([100, 100, 99])


def test_an_account_without_a_day_has_no_equity() -> None:
    assert daily_equity("nobody", "XNYS").values.size == 0


def test_a_report_on_a_period_has_the_equity_of_its_days() -> None:
    for number in (0, 3, 4, 5):
        day(number, "100", "110")
    zone = ZoneInfo("America/New_York")
    monday, tuesday = (datetime(2026, 1, number, tzinfo=zone) for number in (12, 13))
    whole = daily_equity("a", "XNYS")
    chosen = DecidedSelection(since=monday, until=tuesday - timedelta(seconds=1))
    assert equity_of("a", chosen).days.astype(str).tolist() == ["2026-01-09", "2026-01-12"]
    late = DecidedSelection(since=monday + timedelta(seconds=1))
    assert equity_of("a", late).days.astype(str).tolist() == [
        "2026-01-12", "2026-01-13", "2026-01-14",
    ]  # fmt: skip
    assert equity_of("a", DecidedSelection()).days.tolist() == whole.days.tolist()
    before = DecidedSelection(until=datetime(2025, 1, 1, tzinfo=zone))
    assert equity_of("a", before).days.size == 0
