"""Without JavaScript the pages show the same, as figures and tables."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitors import Visitors

pytestmark = pytest.mark.slow
PANELS = ("signals", "positions", "decisions", "equity", "worth", "confidence")


def figures(page: Page) -> dict[str, list[str]]:
    """Return the figures and the cells of numbers of each panel."""
    page.goto("/")
    cells = "section[aria-labelledby='{}-title'] :is(dd, td.number, td a)"
    return {name: page.locator(cells.format(name)).all_text_contents() for name in PANELS}


def test_the_dashboard_shows_the_same_figures_without_javascript(visitors: Visitors) -> None:
    with visitors.page("viewer") as page:
        shown = figures(page)
    with visitors.page("viewer", java_script_enabled=False) as page:
        assert figures(page) == shown
        assert all(shown.values())
        equity = page.get_by_role("region", name="Equity")
        last = equity.get_by_role("definition").first.inner_text()
        equity.get_by_role("link", name="As a table").click()
        expect(page.locator("#result_list tbody tr").first).to_contain_text(last)


def test_a_signals_prices_are_a_table_without_javascript(visitors: Visitors) -> None:
    with visitors.page("viewer", java_script_enabled=False) as page:
        page.goto(f"/signals/?id={visitors.argo.lost_id}")
        prices = page.get_by_role("region", name="Prices")
        prices.get_by_text("The bars as a table").click()
        expect(prices.get_by_role("row", name="The signal")).to_be_visible()
        assert prices.get_by_role("row").count() > 20
