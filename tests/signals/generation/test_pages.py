"""Votes and candidates are shown in the admin site and by the API."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from signals.keys import create_key
from signals.models import CandidateRecord, Signal
from signals.tracker import SignalTracker
from tests.samples import a_signal

pytestmark = pytest.mark.django_db(transaction=True)
CANDIDATES = "/admin/signals/candidaterecord/"


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("clerk"))
    return client


@pytest.fixture
def replayed() -> Signal:
    """Return the first signal of a replay; its candidates are stored."""
    call_command("replay", "--symbols", "FB", "--json", stdout=StringIO())
    signal = Signal.objects.select_related("context").order_by("id").first()
    assert signal is not None
    return signal


def votes_of(signal: Signal) -> list[dict[str, Any]]:
    assert signal.context.votes is not None
    votes: list[dict[str, Any]] = signal.context.votes
    return votes


def test_the_api_shows_every_vote(replayed: Signal, client: Client) -> None:
    key = create_key("reader", ["read"])
    url = f"/api/signals/{replayed.signal_id}"
    answer = client.get(url, headers={"X-API-Key": key}).json()
    assert answer["votes"] == votes_of(replayed)
    assert [set(vote) for vote in answer["votes"]] == [
        {"source", "direction", "confidence", "weight", "figures"}
    ] * 5
    assert answer["regime"] == replayed.context.regime


def test_a_signals_page_shows_every_vote_with_its_figures(replayed: Signal, clerk: Client) -> None:
    page = clerk.get(f"/admin/signals/signal/{replayed.pk}/change/").content.decode()
    for vote in votes_of(replayed):
        assert f"<td>{vote['source']}</td><td>{vote['direction'] or 'abstained'}</td>" in page
        for name, figure in vote["figures"].items():
            assert f"{name} {figure:.6g}" in page


def test_votes_of_another_shape_do_not_break_the_page(clerk: Client) -> None:
    tracker = SignalTracker("test")
    for votes in ([{"analyst": "<b>somebody</b>"}], [{"source": "x", "figures": 3}], []):
        tracker.log_signal(a_signal(votes=votes))
    for signal in Signal.objects.all():
        answer = clerk.get(f"/admin/signals/signal/{signal.pk}/change/")
        assert answer.status_code == 200
        assert "<b>somebody" not in answer.content.decode()


def test_a_rejected_candidates_page_has_every_reason(replayed: Signal, clerk: Client) -> None:
    record = CandidateRecord.objects.filter(rejected_for="confidence cooldown").first()
    assert record is not None
    page = clerk.get(f"{CANDIDATES}{record.pk}/change/").content.decode()
    assert "is below 75 (overall); " in page
    assert "of 10 bars since the signal of" in page
    assert f"<td>{record.votes[0]['source']}</td>" in page


def test_a_candidate_links_to_its_signal(replayed: Signal, clerk: Client) -> None:
    record = CandidateRecord.objects.get(signal_id=replayed.signal_id)
    link = f"/signals/?id={replayed.signal_id}"
    assert link in clerk.get(f"{CANDIDATES}{record.pk}/change/").content.decode()
    assert replayed.symbol in clerk.get(link).content.decode()


@pytest.mark.parametrize("became", ["signal", "confidence", "cooldown", "stale", "nonsense"])
def test_candidates_are_filtered_by_their_result(
    became: str, replayed: Signal, clerk: Client
) -> None:
    everything = CandidateRecord.objects.all()
    wanted = {
        "signal": everything.filter(rejected_for=""),
        "confidence": everything.filter(rejected_for__contains="confidence"),
        "cooldown": everything.filter(rejected_for__contains="cooldown"),
    }.get(became, everything.none())
    listed = clerk.get(f"{CANDIDATES}?became={became}").context["cl"].result_count
    assert listed == wanted.count()


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
def test_candidates_can_be_neither_added_nor_deleted(
    path: str, replayed: Signal, clerk: Client
) -> None:
    record = CandidateRecord.objects.first()
    assert record is not None
    assert clerk.get(CANDIDATES + path.format(pk=record.pk)).status_code == 403
