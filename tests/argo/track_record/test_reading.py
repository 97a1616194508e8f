"""A track record comes from a bundle alone, and says figure by figure if it is verified."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from argo.errors import InvalidInput
from argo.track_record.badge import badge
from argo.track_record.reading import VerifiedBundle, verified_bundle
from tests.signals.record.sample import POLICY, STRATEGY, Record, fill

Bundle = Callable[..., VerifiedBundle]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return fill(Record(tmp_path / "record"))


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], tuple[Path, Path]]:
    """Write a bundle and the reader's policy; return their paths."""

    def write(data: bytes) -> tuple[Path, Path]:
        bundle, policy = tmp_path / "bundle.zip", tmp_path / "policy"
        bundle.write_bytes(data)
        policy.write_bytes(POLICY)
        return bundle, policy

    return write


@pytest.fixture
def made(written: Callable[[bytes], tuple[Path, Path]]) -> Callable[[bytes], dict[str, Any]]:
    return lambda data: verified_bundle(*written(data)).record(STRATEGY)


def figure(record: dict[str, Any], name: str) -> Any:  # noqa: ANN401
    return record["figures"][f"record_{name}"]["value"]


def test_every_figure_is_verified_and_says_what_it_rests_on(
    record: Record, made: Callable[[bytes], dict[str, Any]]
) -> None:
    found = made(record.bundle())
    assert found["accepted"]
    assert found["counts"] | {"shown": 6, "closed": 5, "open": 1} == found["counts"]
    assert figure(found, "win_rate") == 0.6
    assert figure(found, "mean_pct") == pytest.approx(3.1)
    assert all(each["verified"] and each["basis"] for each in found["figures"].values())
    assert [each["equity_pct"] for each in found["series"]][:2] == [10.0, 4.5]
    assert found["brackets"]["median_seconds"] == 1980
    assert found["ended_by"] == {"monitor": 5}


def test_it_agrees_with_the_verifier_also_about_what_is_hidden(
    record: Record, written: Callable[[bytes], tuple[Path, Path]]
) -> None:
    shown = [each for index, each in record.lines.items() if index not in (2, 4)]
    bundle = verified_bundle(*written(record.bundle(lines=shown)))
    found, by_verifier = bundle.record(STRATEGY), bundle.found["strategies"][STRATEGY]
    assert found["counts"]["counted_as_losses"] == 2
    assert figure(found, "win_rate") == by_verifier["win_rate"]
    assert figure(found, "mean_pct") == pytest.approx(by_verifier["mean_pct"])
    assert figure(found, "equity_pct") == pytest.approx(by_verifier["equity_pct"])


def test_a_strategy_is_told_from_another_one_and_history_from_both(
    record: Record, written: Callable[[bytes], tuple[Path, Path]]
) -> None:
    record.enter("strategy", note="other")
    record.signal("theirs", strategy="other")
    record.outcome("theirs", 80.0)
    record.signal("old", kind="history", origin="replay")
    record.checkpoint(mark=False)
    bundle = verified_bundle(*written(record.bundle()))
    assert bundle.strategies == ["other", STRATEGY]
    assert figure(bundle.record(STRATEGY), "win_rate") == 0.6
    assert figure(bundle.record("other"), "win_rate") == 0.0
    assert bundle.record(STRATEGY)["counts"]["shown"] == 6


def test_nothing_is_verified_if_the_bundle_has_a_fault(
    record: Record, written: Callable[[bytes], tuple[Path, Path]]
) -> None:
    record.outcome("signal-5", 110.0, outcome="loss")
    record.checkpoint(mark=False)
    found = verified_bundle(*written(record.bundle())).record(STRATEGY)
    assert not found["accepted"]
    assert not any(each["verified"] for each in found["figures"].values())
    assert "not accepted" in badge(found, STRATEGY)


def test_the_badge_says_what_is_hidden_and_escapes_names(
    record: Record, made: Callable[[bytes], dict[str, Any]]
) -> None:
    shown = [each for index, each in record.lines.items() if index != 2]
    assert "verified: 40.0% of 4 won, 1 not shown" in badge(
        made(record.bundle(lines=shown)), STRATEGY
    )
    assert "no public record" in badge(None, "<script>")
    assert "<script>" not in badge(None, "<script>")


def test_the_command_reports_on_a_bundle_and_ends_with_1_on_a_fault(
    record: Record, written: Callable[[bytes], tuple[Path, Path]]
) -> None:
    bundle, policy = map(str, written(record.bundle()))
    out = StringIO()
    call_command("report", "--bundle", bundle, "--policy", policy, stdout=out)
    assert "verified     Win rate" in out.getvalue()
    assert "60.0%  n=5" in out.getvalue()
    with pytest.raises(CommandError, match="strategies that have: weighted_consensus"):
        call_command("report", "--bundle", bundle, "--policy", policy, "--strategy", "x")
    with pytest.raises(CommandError, match="--policy: is needed"):
        call_command("report", "--bundle", bundle)
    with pytest.raises(CommandError, match="--html: is not possible"):
        call_command("report", "--bundle", bundle, "--policy", policy, "--html", "x.html")
    Path(bundle).write_bytes(record.bundle()[:-30])
    with pytest.raises(CommandError, match="not accepted") as refused:
        call_command("report", "--bundle", bundle, "--policy", policy, stdout=out)
    assert refused.value.returncode == 1
    assert "WRONG (bundle)" in out.getvalue()


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="policy"):
        verified_bundle(tmp_path / "none.zip", tmp_path / "policy")
