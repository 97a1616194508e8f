"""Every source votes; one that fails abstains and is logged by name."""

import logging
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from signals.generation.regime import Regime
from signals.generation.sources.protocol import Source
from signals.generation.voters import BadSource, Voter, Voters, load_source
from signals.generation.votes import Direction, SourceVote, Vote
from signals.market.bars import Bars
from tests.signals.market.builders import bars_of

BARS = bars_of([1.0, 2.0])
BUY = Vote(Direction.BUY, 80.0)


def buys(bars: Bars) -> Vote | None:
    return BUY


def abstains(bars: Bars) -> Vote | None:
    return None


def raises(bars: Bars) -> Vote | None:
    raise ZeroDivisionError("by hand")


def answering(value: object) -> Callable[[Bars], object]:
    return lambda bars: value


def votes(**sources: object) -> list[Vote | None]:
    members = [Voter(name, source, 1.0) for name, source in sources.items()]  # type: ignore[arg-type]
    return [vote.vote for vote in Voters(members).votes(BARS, Regime.BULL)]


def test_each_source_has_its_vote_in_order_abstentions_included() -> None:
    voters = Voters([Voter("a", buys, 0.5), Voter("b", abstains, 0.25)])
    assert voters.votes(BARS, Regime.CHOP) == (
        SourceVote("a", 0.5, BUY),
        SourceVote("b", 0.25, None),
    )


def test_a_weight_may_differ_by_regime() -> None:
    voters = Voters([Voter("a", buys, 0.5, {Regime.CRISIS: 0.1})])
    weights = {regime: voters.votes(BARS, regime)[0].weight for regime in Regime}
    assert weights == {**dict.fromkeys(Regime, 0.5), Regime.CRISIS: 0.1}


def test_a_source_that_raises_abstains_and_the_others_vote(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert votes(bad=raises, good=buys) == [None, BUY]
    (logged,) = caplog.records
    assert logged.levelno == logging.ERROR
    assert "source bad abstains on TEST at 2008-01-03" in logged.getMessage()
    assert "by hand" in logged.getMessage()


@pytest.mark.parametrize("nonsense", ["BUY", 0.7, ("BUY", 80), {"direction": "BUY"}, True])
def test_a_source_that_returns_nonsense_abstains(
    nonsense: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert votes(odd=answering(nonsense), good=buys) == [None, BUY]
    (logged,) = caplog.records
    assert "source odd" in logged.getMessage()
    assert repr(nonsense) in logged.getMessage()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Vote(Direction.BUY, 101.0),
        lambda: Vote(Direction.BUY, -1.0),
        lambda: Vote(Direction.BUY, float("nan")),
        lambda: Vote(Direction.BUY, 50.0, {"RSI": float("nan")}),
        lambda: Vote(Direction.BUY, 50.0, {"RSI": float("inf")}),
        lambda: Vote("UP", 50.0),  # type: ignore[arg-type]
        lambda: Vote(Direction.BUY, "high"),  # type: ignore[arg-type]
        lambda: Vote(Direction.BUY, 50.0, {"RSI": "high"}),  # type: ignore[dict-item]
        lambda: Vote(Direction.BUY, 50.0, None),  # type: ignore[arg-type]
        lambda: Vote(Direction.BUY, 50.0, {20: 1.0}),  # type: ignore[dict-item]
        lambda: Vote(Direction.BUY, 50.0, {"a\0b": 1.0}),
        lambda: Vote(Direction.BUY, 50.0, {"\ud800": 1.0}),
        lambda: Vote(Direction.BUY, 50.0, {"x" * 41: 1.0}),
        lambda: Vote(Direction.BUY, 50.0, {str(number): 1.0 for number in range(21)}),
    ],
)
def test_a_source_whose_vote_is_invalid_abstains(
    make: Callable[[], Vote], caplog: pytest.LogCaptureFixture
) -> None:
    assert votes(odd=lambda bars: make(), good=buys) == [None, BUY]
    assert caplog.records[0].levelno == logging.ERROR


@pytest.mark.parametrize("eighty", [Decimal(80), Fraction(80), np.float32(80), np.int64(80), 80])
def test_any_kind_of_number_is_accepted_and_becomes_a_float(eighty: float) -> None:
    (vote,) = votes(exact=lambda bars: Vote(Direction.BUY, eighty, {"level": eighty}))
    assert vote == Vote(Direction.BUY, 80.0, {"level": 80.0})
    assert vote is not None
    assert (type(vote.confidence), type(vote.figures["level"])) == (float, float)


def test_errors_that_differ_only_in_their_text_are_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def never_the_same(bars: Bars) -> Vote:
        raise KeyError(str(bars.time_at(-1)))

    voters = Voters([Voter("bad", never_the_same, 1.0), Voter("odd", len, 1.0)])  # type: ignore[arg-type]
    for end in range(1, 20):
        voters.votes(bars_of([1.0] * end), Regime.BULL)
    assert len(caplog.records) == 2


def test_the_same_error_is_logged_once_for_each_symbol(caplog: pytest.LogCaptureFixture) -> None:
    voters = Voters([Voter("bad", raises, 1.0)])
    for symbol in ("A", "A", "B"):
        voters.votes(bars_of([1.0], symbol), Regime.BULL)
    assert len(caplog.records) == 2


def test_a_source_is_a_module_with_a_function_vote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "only_mine.py").write_text("def vote(bars):\n    return None\n")
    source: Source = load_source("only_mine")
    assert source(BARS) is None


@pytest.mark.parametrize("path", ["no.such.module", "json", "", "..", "broken_source"])
def test_an_invalid_source_is_refused_by_name(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken_source.py").write_text("import nothing_like_it\n")
    with pytest.raises(BadSource, match=f"'{path}' is not a source .*a function `vote`"):
        load_source(path)
