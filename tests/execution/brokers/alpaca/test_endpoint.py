"""Real money is traded only if the user wrote yes."""

import pytest

from execution.brokers.alpaca.broker import LIVE, PAPER, endpoint
from execution.brokers.protocol import BrokerError


@pytest.mark.parametrize("live", ["", "no"])
def test_without_a_yes_it_trades_on_paper(live: str) -> None:
    assert endpoint(live, "") == PAPER
    assert endpoint(live, "http://127.0.0.1:1") == "http://127.0.0.1:1"
    assert endpoint(live, PAPER) == PAPER


def test_with_a_yes_it_trades_live() -> None:
    assert endpoint("yes", "") == LIVE
    assert endpoint("yes", "http://127.0.0.1:1") == "http://127.0.0.1:1"


@pytest.mark.parametrize("live", ["true", "True", "1", "on", "YES", "y", " yes", "live"])
def test_anything_but_an_exact_yes_is_refused(live: str) -> None:
    with pytest.raises(BrokerError, match="write yes"):
        endpoint(live, "")


@pytest.mark.parametrize(
    "url",
    [
        LIVE,
        f"{LIVE}/v2",
        "https://API.ALPACA.markets",
        "https://api.alpaca.markets.",
        "https://api.alpaca.markets:443",
        "https://user@api.alpaca.markets",
        "http://api.alpaca.markets",
        "https://broker-api.alpaca.markets",
    ],
)
def test_the_live_address_does_not_replace_the_yes(url: str) -> None:
    with pytest.raises(BrokerError, match="real money"):
        endpoint("no", url)
    assert endpoint("yes", url) == url
