"""What sources and rules are worth: the votes that are read, and the words about what helped."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa
import pytest

from argo.reports.helped import what_helped
from argo.reports.measurement import Found
from argo.reports.page import report_page
from argo.reports.report import make_report
from argo.reports.text import report_text
from argo.reports.votes import vote_sections
from argo.reports.worth import validation_section
from execution.analysis.selection import DecidedSelection
from signals.tracker import SignalTracker
from tests.samples import a_signal

FIRST = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
HELPED, COST, LUCK, FEW = (0.1, 0.5), (-0.5, -0.1), (-0.1, 0.5), None
Span = tuple[float, float] | None


def vote(source: str, direction: str | None, confidence: float | None = 80.0) -> dict[str, object]:
    return {
        "source": source, "direction": direction, "weight": 1.0, "figures": {},
        "confidence": None if direction is None else confidence,
    }  # fmt: skip


def table_of(*votes: object, outcome: str | None = "win", action: str = "BUY") -> pa.Table:
    """Return a signal for each list of votes."""
    return pa.table(
        {
            "action": pa.array([action] * len(votes), pa.string()),
            "outcome": pa.array([outcome] * len(votes), pa.string()),
            "votes": pa.array([orjson.dumps(each).decode() for each in votes], pa.string()),
        }
    )


def test_votes_of_the_signals_are_counted_and_calibrated() -> None:
    votes = [vote("b", "BUY", 90.0), vote("a", "SELL"), vote("c", None)]
    found = vote_sections(table_of(votes, votes, [vote("c", "NEUTRAL")]))
    counts = ("asked", "with_winner", "neutral", "against", "abstained")
    assert {name: [each[count] for count in counts] for name, each in found["votes"].items()} == {
        "a": [2, 0, 0, 2, 0], "b": [2, 2, 0, 0, 0], "c": [3, 0, 1, 0, 2],
    }  # fmt: skip
    assert found["votes"]["b"]["calibration"]["brier"]["value"] == pytest.approx(0.01)
    assert found["votes"]["a"]["calibration"]["brier"]["n"] == 0
    assert [(pair["first"], pair["second"]) for pair in found["pairs"]] == [
        ("a", "b"), ("a", "c"), ("b", "c"),
    ]  # fmt: skip


def test_a_sell_is_won_with_votes_to_sell() -> None:
    found = vote_sections(table_of([vote("a", "SELL")], action="SELL"))["votes"]["a"]
    assert (found["with_winner"], found["against"]) == (1, 0)


@pytest.mark.parametrize(
    "votes",
    [
        None, {}, "BUY", [5], [{}], [{"source": 5, "direction": "BUY", "confidence": 80}],
    ],
)  # fmt: skip
def test_what_is_no_vote_is_left_out(votes: object) -> None:
    assert vote_sections(table_of(votes)) == {"votes": {}, "pairs": []}


@pytest.mark.parametrize(
    ("direction", "confidence"), [("UP", 80), (["BUY"], 80), ("BUY", "high"), ("BUY", 101)]
)
def test_a_vote_that_cannot_be_read_is_an_abstention(direction: Any, confidence: Any) -> None:  # noqa: ANN401
    given = [{"source": "a", "direction": direction, "confidence": confidence}]
    assert vote_sections(table_of(given))["votes"]["a"]["abstained"] == 1


@pytest.mark.django_db
def test_signals_with_votes_have_a_section_in_text_and_page_before_anything_is_measured() -> None:
    times = [(FIRST + timedelta(minutes=minute)).isoformat() for minute in range(3)]
    hostile = "<b>trend"
    votes = [vote(hostile, "BUY"), vote("volume", "SELL")]
    SignalTracker("api").log_signals([a_signal(timestamp=time, votes=votes) for time in times])
    made = make_report(DecidedSelection(), FIRST)
    assert made["sources"]["votes"][hostile]["with_winner"] == 3
    assert made["sources"]["pairs"][0]["agreement"]["n"] == 3
    assert made["what_helped"] is None
    text, page = report_text(made), report_page(made)
    assert "How alike the sources vote on these signals" in text
    assert "(it has not been measured: run manage.py weigh_sources)" in text
    assert "it has not been measured: run manage.py weigh_sources." in page
    assert hostile not in page


@pytest.mark.django_db
def test_signals_without_votes_have_no_word_about_sources() -> None:
    SignalTracker("api").log_signal(a_signal())
    made = make_report(DecidedSelection(), FIRST)
    assert made["sources"]["votes"] == {}
    assert "source is worth" not in report_text(made) + report_page(made)
    assert not any("ources and rules" in each for each in made["assumptions"])


def figure(span: Span) -> dict[str, Any]:
    between = None if span is None else {"low": span[0], "high": span[1]}
    return {"value": 0.0, "interval": between}


def helped(
    sources: dict[str, Span], validation: dict[str, Span], risk: dict[str, Span]
) -> str | None:
    """Return the words; the spans of rules are of what they saved."""
    worths = {name: {"worth_pct": figure(span)} for name, span in sources.items()}
    rules = {f"validation.{code}": span for code, span in validation.items()} | risk
    costs = {
        code: {"cost_pct": figure(span and (-span[1], -span[0]))} for code, span in rules.items()
    }
    return what_helped(costs, {"without": worths})


def test_the_words_say_what_the_intervals_allow() -> None:
    assert helped({}, {}, {}) is None
    assert helped({"a": LUCK, "b": LUCK}, {}, {}) == ("Of 2 sources, none can be told from luck.")
    assert helped(
        {"a": HELPED, "b": HELPED, "c": HELPED, "d": COST, "e": LUCK}, {"cooldown": HELPED}, {}
    ) == (
        "Of 5 sources, a, b and c helped; d cost money; 1 cannot be told from luck. "
        "Of 1 rule of validation, cooldown helped."
    )
    assert helped({}, {"stop": FEW}, {"held": COST, "size": FEW, "pace": FEW}) == (
        "Of 1 rule of validation, 1 has too few separate cases to say. "
        "Of 3 rules of risk, held cost money; 2 have too few separate cases to say."
    )


@pytest.mark.parametrize("span", [(0.0, 0.5), (-0.5, 0.0)])
def test_an_interval_that_touches_zero_is_luck(span: Span) -> None:
    assert "none can be told from luck" in str(helped({"a": span}, {}, {"b": span}))


def test_a_rule_that_has_rejected_only_since_the_measurement_says_so() -> None:
    cost = {"value": 0.5, "null_because": None}
    result = {"rejected": {"stop": {"rejected": 40, "cost_pct": cost}}}
    found = validation_section({"stop": 45, "jump": 2}, Found("manage.py weigh_sources", result))
    assert found["validation.stop"] == {"rejected": 45, "cost_pct": cost}
    assert found["validation.jump"]["cost_pct"]["null_because"] == (
        "it has rejected candidates only since the measurement: run manage.py weigh_sources"
    )


def test_votes_that_cannot_be_read_take_nothing_from_those_beside_them() -> None:
    good, whole = vote("a", "BUY", 80.0), vote("a", "SELL", 70)
    found = vote_sections(table_of([good], None, [whole, {"source": 1}], [good, 5], "x"))
    assert found["votes"]["a"]["asked"] == 3
    assert (found["votes"]["a"]["with_winner"], found["votes"]["a"]["against"]) == (2, 1)
    alone = vote_sections(table_of([good], None, [whole], [good]))
    assert alone == found


def test_more_votes_than_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given = table_of(*([vote(f"source {number}", "BUY")] for number in range(7)), None)
    expected = vote_sections(given)
    monkeypatch.setattr("argo.reports.votes.AT_ONCE", 3)
    assert vote_sections(given) == expected
    assert len(expected["votes"]) == 7
