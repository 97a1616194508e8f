"""On a telephone nothing is cut off, and every page can be reached."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import PASSWORD
from tests.browser.visitors import PHONE, Visitors, log_in

pytestmark = pytest.mark.slow
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def fits(page: Page) -> None:
    """Fail if the page must be moved sideways."""
    assert page.evaluate(WIDER) == 0, page.url


def test_a_trader_looks_at_a_signal_on_the_way_home(visitors: Visitors) -> None:
    with visitors.page(viewport=PHONE, has_touch=True, is_mobile=True) as page:
        page.goto("/")
        fits(page)
        log_in(page, "trader", PASSWORD)
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
        fits(page)
        page.get_by_text("Menu", exact=True).tap()
        menu = page.get_by_role("navigation", name="Menu")
        menu.get_by_role("link", name="Signals", exact=True).tap()
        expect(page.get_by_role("heading", name="Signals", exact=True)).to_be_visible()
        fits(page)
        page.get_by_role("row", name="AAPL").first.get_by_role("link").first.tap()
        expect(page.locator("h1")).to_contain_text("AAPL")
        fits(page)
        for address in (f"/signals/?id={visitors.argo.hostile_id}", "/report/", "/docs/"):
            page.goto(address)
            fits(page)
