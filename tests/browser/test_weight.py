"""What a page costs a slow connection, with an empty cache and with a warm one."""

import pytest

from tests.browser.visitors import Visitors

pytestmark = pytest.mark.slow
PAGES = ("/", "/admin/signals/signal/", "/signals/?id={}")
EMPTY, WARM = 1_000_000, 150_000
"""Bytes."""


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_light_and_lighter_the_second_time(visitors: Visitors, address: str) -> None:
    with visitors.page("viewer") as page:
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        sizes: list[float] = []
        network.on(
            "Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"])
        )
        page.goto(address.format(visitors.argo.lost_id), wait_until="networkidle")
        empty = sum(sizes)
        sizes.clear()
        page.goto(address.format(visitors.argo.lost_id), wait_until="networkidle")
        assert 5_000 < sum(sizes) < WARM
        assert sum(sizes) < empty < EMPTY
