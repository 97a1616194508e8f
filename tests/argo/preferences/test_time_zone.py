"""A user's pages show times in the zone that the user has chosen."""

import re

import pytest
from django.test import Client

from argo.groups import VIEWER
from signals.admin.markup import signal_url
from signals.clock import utc_now
from signals.timestamps import parse_utc
from signals.tracker import SignalTracker
from tests.argo.pages import client_of, shown
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
SETTINGS, LIST = "/preferences/", "/admin/signals/signal/"
SUMMER = "2025-07-15T22:30:00Z"


def choose(client: Client, zone: str) -> str:
    return client.post(SETTINGS, {"time_zone": zone}, follow=True).content.decode()


def times(client: Client, address: str) -> set[str]:
    found = re.findall(
        rf'<time datetime="{SUMMER}" title="([^"]*)">([^<]*)<', shown(client, address)
    )
    return {f"{text} / {title}" for title, text in found}


def test_times_are_in_the_chosen_zone_and_their_titles_in_utc() -> None:
    signal_id = SignalTracker("test").log_signal(a_signal(timestamp=SUMMER))
    client, other = client_of(VIEWER), client_of("trader")
    in_utc = "2025-07-15 22:30:00 / 2025-07-15 22:30:00 UTC"
    assert times(client, LIST) == {in_utc}
    assert 'name="time-zone"' not in shown(client, LIST)
    assert "Stored." in choose(client, "Europe/Berlin")
    for address in (LIST, signal_url(signal_id)):
        assert times(client, address) == {"2025-07-16 00:30:00 / 2025-07-15 22:30:00 UTC"}
    assert '<meta name="time-zone" content="Europe/Berlin">' in shown(client, LIST)
    assert '<option value="Europe/Berlin" selected>' in shown(client, SETTINGS)
    assert times(other, LIST) == {in_utc}
    choose(client, "")
    assert times(client, LIST) == {in_utc}


def test_an_answer_of_the_api_stays_in_utc() -> None:
    SignalTracker("test").log_signal(a_signal(timestamp=SUMMER))
    client = client_of(VIEWER)
    before = client.get("/api/signals").json()
    choose(client, "Asia/Tokyo")
    assert client.get("/api/signals").json() == before


def test_a_zone_that_does_not_exist_is_refused() -> None:
    client = client_of(VIEWER)
    assert "Select a valid choice" in choose(client, "Mars/Olympus")
    assert shown(client, LIST)


def test_who_is_not_logged_in_has_no_settings(client: Client) -> None:
    assert client.get(SETTINGS).status_code == 302


def test_what_is_called_utc_is_utc_in_every_zone() -> None:
    client = client_of(VIEWER)
    choose(client, "Asia/Tokyo")
    for address in ("/", "/profile/"):
        found = re.search(r'<time datetime="([^"]*)"', shown(client, address))
        assert found
        assert abs((parse_utc(found[1]) - utc_now()).total_seconds()) < 600, address
