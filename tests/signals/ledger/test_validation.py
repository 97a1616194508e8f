"""A signal is accepted, or refused with every bad field named at once."""

import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argo.errors import InvalidInput
from signals.journal import Journal
from signals.ledger.flush import Flusher, FlushResult
from signals.ledger.validation import EXTRA_BYTES, LITERAL_ROUTES, VOTES_BYTES, validated
from signals.models import Signal
from tests.samples import a_signal
from tests.signals.ledger.flush.helpers import forged

NOW = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def _faults(signal: object) -> set[str]:
    with pytest.raises(InvalidInput) as refused:
        validated(signal, NOW)  # type: ignore[arg-type]
    return {error.field for error in refused.value.errors}


def test_every_bad_field_is_named_at_once() -> None:
    signal = a_signal(
        symbol="A\tB",
        action="HOLD",
        confidence=101,
        timestamp="2025-01-15T10:30:00",
        entry_price=-1,
    )
    bad = {"symbol", "action", "confidence", "timestamp", "entry_price"}
    assert _faults(signal) == bad
    assert _faults({**signal, "outcome": "win"}) == bad | {"outcome"}


def test_faults_across_fields_are_named_beside_those_of_one_field() -> None:
    later = (NOW + timedelta(minutes=6)).isoformat()
    assert _faults(a_signal(symbol="", stop_price=151.0, timestamp=later)) == {
        "symbol",
        "entry_price",
        "timestamp",
    }


@pytest.mark.parametrize(
    "name",
    ["symbol", "action", "entry_price", "target_price", "stop_price", "confidence", "timestamp"],
)
def test_what_a_signal_must_have(name: str) -> None:
    assert _faults(a_signal(**{name: ...})) == {name}


@pytest.mark.parametrize("name", ["entry_price", "target_price", "stop_price", "confidence"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, "150.5", None])
def test_numbers_are_finite_numbers(name: str, value: object) -> None:
    assert name in _faults(a_signal(**{name: value}))


@pytest.mark.parametrize("value", [0, -0.0, -1.5])
def test_prices_are_above_zero(value: float) -> None:
    assert "stop_price" in _faults(a_signal(stop_price=value))


@given(
    st.permutations([95.0, 100.0, 105.0])
    | st.lists(st.sampled_from([95.0, 100.0]), min_size=3, max_size=3),
    st.sampled_from(["BUY", "SELL"]),
)
def test_prices_must_be_in_the_order_of_the_side(prices: list[float], action: str) -> None:
    stop, entry, target = prices
    signal = a_signal(action=action, stop_price=stop, entry_price=entry, target_price=target)
    right = stop < entry < target if action == "BUY" else target < entry < stop
    if right:
        assert validated(signal, NOW).entry_price == entry
    else:
        assert _faults(signal) == {"entry_price"}


@pytest.mark.parametrize(
    "symbol",
    ["A", "BRK.A", "btc-usd", "BTC/USD", "EURUSD=X", "^GSPC", "X" * 32, "NQ1!", "MNQ 03-26", "ä;b"],
)
def test_symbols_are_stored_in_capitals(symbol: str) -> None:
    assert validated(a_signal(symbol=symbol), NOW).symbol == symbol.upper()


@pytest.mark.parametrize("symbol", ["", "X" * 33, " A", "A ", " ", "A\n", "A\0", "ﬃ" * 11, 5])
def test_other_symbols_are_refused(symbol: object) -> None:
    assert _faults(a_signal(symbol=symbol)) == {"symbol"}


@pytest.mark.parametrize("signal_id", ["", "a" * 65, "a b", "ä", 'a"b'])
def test_ids_of_other_characters_are_refused(signal_id: str) -> None:
    assert _faults(a_signal(signal_id=signal_id)) == {"signal_id"}


@pytest.mark.parametrize("signal_id", sorted(LITERAL_ROUTES))
def test_the_name_of_a_call_is_no_id(signal_id: str) -> None:
    """A signal of this name could not be read at /api/signals/{signal_id}."""
    assert _faults(a_signal(signal_id=signal_id)) == {"signal_id"}
    assert _faults(a_signal(signal_id=signal_id, confidence=101)) == {"signal_id", "confidence"}
    assert validated(a_signal(signal_id=f"{signal_id}-1"), NOW).signal_id == f"{signal_id}-1"


@pytest.mark.django_db
def test_a_journal_line_from_before_that_is_stored(journal: Journal) -> None:
    journal.append([forged(signal_id="latest")])
    assert Flusher(journal).flush() == FlushResult(stored=1)
    assert Signal.objects.get().signal_id == "latest"


@pytest.mark.parametrize(
    "timestamp",
    ["2025-01-15T10:30:00", "yesterday", 1736937000, datetime(2025, 1, 15)],  # noqa: DTZ001
)
def test_a_time_without_an_offset_is_refused(timestamp: object) -> None:
    assert _faults(a_signal(timestamp=timestamp)) == {"timestamp"}


def test_up_to_five_minutes_in_the_future_are_allowed() -> None:
    assert validated(a_signal(timestamp=NOW + timedelta(minutes=5)), NOW)
    assert _faults(a_signal(timestamp=NOW + timedelta(minutes=5, seconds=1))) == {"timestamp"}


def test_alpines_names_are_understood() -> None:
    plain = a_signal(target_price=..., stop_price=...)
    signal = validated(
        {
            **plain,
            "take_profit": 158.0,
            "stop_loss": 146.0,
            "sources_count": 5,
            "consensus_agreement": 0.8,
        },
        NOW,
    )
    assert (signal.target_price, signal.stop_price) == (158.0, 146.0)
    assert (signal.sources, signal.agreement) == (5, 0.8)


def test_two_names_for_one_field_must_have_the_same_value() -> None:
    assert validated(a_signal(take_profit=158.0), NOW).__pydantic_extra__ == {}
    assert _faults(a_signal(take_profit=159.0)) == {"take_profit"}


def test_unknown_fields_are_kept() -> None:
    assert validated(a_signal(note={"a": [1, None]}, id=7), NOW).__pydantic_extra__ == {
        "note": {"a": [1, None]},
        "id": 7,
    }


def test_unknown_fields_of_exactly_the_limit_are_taken() -> None:
    kept = {"note": "x" * (EXTRA_BYTES - len('{"note":""}'))}
    assert validated(a_signal(**kept), NOW).__pydantic_extra__ == kept
    assert _faults(a_signal(note=kept["note"] + "x")) == {"note"}


def test_votes_of_exactly_the_limit_are_taken() -> None:
    votes = [{"a": "x" * (VOTES_BYTES - len('{"votes":[{"a":""}]}'))}]
    assert validated(a_signal(votes=votes), NOW).votes == votes
    votes[0]["a"] += "x"
    assert _faults(a_signal(votes=votes)) == {"votes"}


def test_unknown_fields_have_a_limit_in_all() -> None:
    half = "x" * (EXTRA_BYTES // 2)
    assert validated(a_signal(one=half), NOW)
    assert _faults(a_signal(one=half, two=half)) == {"one, two"}


@pytest.mark.parametrize(
    "value", [math.nan, [math.inf], {"a": -math.inf}, "\0", {"\0": 1}, object(), 2**70, "\ud800"]
)
def test_unknown_fields_that_json_cannot_keep_are_refused(value: object) -> None:
    assert _faults(a_signal(note=value)) == {"note"}


@pytest.mark.parametrize(
    "name", ["outcome", "exit_price", "order_id", "received_at", "origin", "change"]
)
def test_fields_that_only_argo_or_a_later_outcome_fills_are_refused(name: str) -> None:
    assert _faults(a_signal(**{name: "x"})) == {name}
    assert validated(a_signal(**{name: None}), NOW).__pydantic_extra__ == {}


@pytest.mark.parametrize("signal", [None, 5, "text", [a_signal()]])
def test_anything_but_an_object_is_refused(signal: object) -> None:
    assert _faults(signal) == {"signal"}


@pytest.mark.parametrize(
    ("name", "length"), [("strategy", 100), ("regime", 100), ("reasoning", 4000)]
)
def test_texts_have_a_length(name: str, length: int) -> None:
    assert validated(a_signal(**{name: "ß" * length}), NOW)
    assert _faults(a_signal(**{name: "x" * (length + 1)})) == {name}


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
    )
)
def test_any_input_is_accepted_or_refused_with_field_names(fields: dict[str, Any]) -> None:
    signal = a_signal() | fields
    with suppress(InvalidInput):  # no other error
        assert validated(signal, NOW).symbol


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_outside_the_years_of_utc_is_refused(timestamp: str) -> None:
    assert _faults(a_signal(timestamp=timestamp)) == {"timestamp"}


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_texts_that_a_database_cannot_store_are_refused(value: str) -> None:
    assert _faults(a_signal(strategy=value)) == {"strategy"}
