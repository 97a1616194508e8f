"""What people come for, click by click: each of them may do what the API's scopes say."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.argo.up.processes import wait_until
from tests.browser.people import ADMIN, GROUPS
from tests.browser.visitors import Visitors, log_in

pytestmark = pytest.mark.slow
LOST = r"/admin/signals/signal/\?.*outcome=loss"


def follow(page: Page, name: str) -> None:
    """Follow a link of the navigation."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True).click()


def choose(page: Page, title: str, value: str) -> None:
    """Choose a value of a filter above a list."""
    filters = page.get_by_role("navigation", name="Filters")
    filters.get_by_text(title, exact=True).click()
    filters.get_by_role("link", name=value, exact=True).click()


def act(page: Page, row: str, action: str) -> None:
    """Tick the row of a list with this text, and choose what to do with it."""
    page.get_by_role("row", name=row).get_by_role("checkbox").check()
    page.get_by_role("combobox", name="Action").select_option(label=action)
    page.get_by_role("button", name="Go").click()


def said(page: Page, message: str) -> Locator:
    """Return what the page says of an act that was just done."""
    return page.locator(".messagelist").get_by_text(message)


def open_lost_signal(page: Page) -> None:
    """Find the first losing signal on AAPL of 2008, from the dashboard on."""
    page.goto("/")
    page.locator("section", has_text="What signals were worth").get_by_role(
        "row", name="loss"
    ).get_by_role("link").nth(1).click()
    expect(page).to_have_url(re.compile(LOST))
    choose(page, "Symbol", "AAPL")
    choose(page, "Time", "2008")
    page.get_by_role("row", name="2008-10-02").get_by_role("link", name="AAPL").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("AAPL")


def test_the_first_user_logs_in_with_the_password_that_up_printed(visitors: Visitors) -> None:
    with visitors.page() as page:
        page.goto("/")
        log_in(page, ADMIN, "a guess")
        expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()
        log_in(page, ADMIN, visitors.argo.password)
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        page.goto("/")
        expect(page.get_by_label("Username")).to_be_visible()


def test_a_viewer_finds_a_lost_trade_and_all_of_its_story(visitors: Visitors) -> None:
    with visitors.page("viewer") as page:
        open_lost_signal(page)
        made = page.get_by_role("region", name="Why it was made")
        expect(made.get_by_role("row", name="momentum")).to_contain_text("SELL")
        expect(made).to_contain_text("sources voted SELL")
        trade = page.get_by_role("region", name="Trade")
        expect(trade.get_by_role("row", name="stop")).to_have_count(2)
        expect(trade).to_contain_text("Profit after fees-")
        stored = page.get_by_role("region", name="Is it unaltered")
        expect(stored).to_contain_text("Row, hash and journal line agree")
        expect(stored).to_contain_text(re.compile(r"delivered.*last answer 202"))
        expect(page.locator("#chart canvas").first).to_be_visible()


def test_a_trader_corrects_an_outcome_and_everybody_sees_who_did(visitors: Visitors) -> None:
    with visitors.page("trader") as page:
        open_lost_signal(page)
        page.get_by_role("button", name="Set the outcome").click()
        page.get_by_label("Outcome").select_option("win")
        page.get_by_label("Exit price").first.fill("12.5")
        page.get_by_label("Why").fill("The broker's bill says 12.5")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_role("row", name="AAPL")).to_contain_text("2.83")
        page.get_by_role("button", name="Record 1 outcome").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("+2.83%")
        stored = page.get_by_role("region", name="Is it unaltered")
        expect(stored.get_by_role("row", name="The broker's bill")).to_contain_text("trader")
        expect(stored).to_contain_text("Row, hash and journal line agree")
    with visitors.page("viewer") as page:
        page.goto("/")
        follow(page, "Outcome changes")
        expect(page.get_by_role("row", name="The broker's bill")).to_contain_text("trader")


def test_a_viewer_exports_a_signal(visitors: Visitors, tmp_path: Path) -> None:
    with visitors.page("viewer") as page:
        page.goto("/admin/signals/signal/?symbol=AAPL")
        with page.expect_download() as download:
            act(page, "2008-10-02", "Export as CSV")
        download.value.save_as(tmp_path / "signals.csv")
        _, row = (tmp_path / "signals.csv").read_text().splitlines()
        assert "AAPL" in row


def test_a_viewer_exports_the_figures(visitors: Visitors, tmp_path: Path) -> None:
    with visitors.page("viewer") as page:
        page.goto("/")
        follow(page, "Report")
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        download.value.save_as(tmp_path / "figures.csv")
        assert "win_rate" in (tmp_path / "figures.csv").read_text()


def test_a_trader_stores_a_dead_letter_and_sends_a_dead_delivery_again(visitors: Visitors) -> None:
    argo = visitors.argo
    with visitors.page("trader") as page:
        page.goto("/")
        status = page.get_by_role("region", name="Is all well?")
        status.get_by_role("link", name="Dead letters").click()
        page.get_by_role("button", name="Try again").click()
        expect(said(page, "1 dead letter is stored.")).to_be_visible()
        page.goto(f"/signals/?id={argo.letter_id}")
        expect(page.get_by_role("heading", level=1)).to_contain_text("MSFT")
        follow(page, "Deliveries to Alpine")
        choose(page, "Status", "dead")
        act(page, argo.hostile_id, "Send dead deliveries again")
        expect(said(page, "1 deliveries queued again")).to_be_visible()
    sent = "SELECT status FROM deliveries JOIN signals USING (id) WHERE signal_id = ?"
    wait_until(lambda: argo.installation.query(sent, argo.hostile_id)[0][0] == "delivered")


def test_a_trader_halts_trading_and_lifts_the_halt_with_a_reason(visitors: Visitors) -> None:
    with visitors.page("trader") as page:
        page.goto("/")
        status = page.get_by_role("region", name="Is all well?")
        status.get_by_role("link", name="Halt trading").click()
        page.get_by_label("Why").fill("News at two")
        page.get_by_role("button", name="Halt trading").click()
        expect(said(page, "Trading on paper is halted: News at two")).to_be_visible()
        page.goto("/")
        expect(status).to_contain_text("1 halt on paper: News at two")
        status.get_by_role("link", name="Lift the halt").click()
        page.get_by_label("Why").fill("The news is out")
        page.get_by_role("button", name="Lift the halt").click()
        expect(said(page, "Lifted: News at two")).to_be_visible()
        page.goto("/")
        expect(status).not_to_contain_text("News at two")


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_is_offered_what_it_may_do(visitors: Visitors, group: str) -> None:
    may_act, may_administer = int(group != "viewer"), int(group == "administrator")
    with visitors.page(group) as page:
        page.goto("/admin/execution/halt/")
        expect(page.get_by_role("link", name="Halt trading")).to_have_count(may_act)
        menu = page.get_by_role("navigation", name="Pages")
        expect(menu.get_by_role("link", name="API keys")).to_have_count(may_administer)
        expect(menu.get_by_role("link", name="Users")).to_have_count(may_administer)
        page.goto("/admin/signals/deadletter/")
        expect(page.get_by_role("combobox", name="Action")).to_have_count(may_act)
        page.goto(f"/signals/?id={visitors.argo.hostile_id}")
        acts = page.locator(".acts")
        expect(acts.get_by_text("Set the outcome")).to_have_count(may_act)
