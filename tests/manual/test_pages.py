"""The manual as it is served at /docs/."""

import os
import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from argo.manual.pages import NAMES, Page, folder
from argo.manual.rendering import address, render


@pytest.mark.parametrize("name", NAMES)
def test_everybody_sees_a_page_marked_among_the_others(name: str, client: Client) -> None:
    html = client.get(address(name)).content.decode()
    assert f"<title>{Page(name).title} | Argo</title>" in html
    current = set(re.findall(r'<a href="([^"]+)" aria-current="page">', html))
    assert current == {address(name)}
    assert all(f'href="{address(each)}"' in html for each in NAMES)


def test_pages_lead_to_the_one_before_and_the_one_after(client: Client) -> None:
    before = {name: _turn(client, name, "prev") for name in NAMES}
    after = {name: _turn(client, name, "next") for name in NAMES}
    addresses = [address(name) for name in NAMES]
    assert list(before.values()) == [None, *addresses[:-1]]
    assert list(after.values()) == [*addresses[1:], None]


def test_every_file_is_a_page() -> None:
    assert {path.stem for path in folder().glob("*.md")} == set(NAMES)


@pytest.mark.parametrize("url", ["/docs/nothing/", "/docs/README/", "/docs/..%2fREADME/"])
def test_there_is_no_other_page(url: str, client: Client) -> None:
    assert client.get(url).status_code == 404


def test_html_in_markdown_is_text() -> None:
    page = render("# A <b>title</b>\n\n<script>alert(1)</script>\n")
    assert "<script>" not in page.html
    assert "&lt;script&gt;" in page.html


def test_a_page_has_its_sections_with_their_anchors() -> None:
    page = render("# Title\n\n## One `two`\n\n### Not this\n\n## What's three?\n")
    assert page.title == "Title"
    assert page.sections == [("one-two", "One two"), ("whats-three", "What's three?")]
    assert '<h2 id="one-two">' in page.html


def test_links_between_files_become_links_between_pages() -> None:
    html = render("[a](trade.md#halts) [b](README.md) [c](https://example.com/x.md)").html
    hrefs = ["/docs/trade/#halts", "/docs/", "https://example.com/x.md"]
    assert re.findall('href="([^"]+)"', html) == hrefs


def test_a_table_scrolls_in_a_box_of_its_own() -> None:
    html = render("| a |\n| --- |\n| b |\n").html
    assert re.search(r'<div class="table" tabindex="0">\s*<table>.*</table>\s*</div>', html, re.S)


def test_a_changed_file_is_read_again(tmp_path: Path, settings: Settings) -> None:
    settings.BASE_DIR = tmp_path
    folder().mkdir(parents=True)
    for at, title in enumerate(("Old", "New")):
        Page("start").path.write_text(f"# {title}\n")
        os.utime(Page("start").path, ns=(at, at))
        assert Page("start").title == title


def test_the_style_sheets_are_served_and_nothing_comes_from_elsewhere(client: Client) -> None:
    html = client.get("/docs/").content.decode()
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)">', html)
    served = [client.get(sheet) for sheet in sheets]
    assert [each.status_code for each in served] == [200, 200]
    assert b"prefers-color-scheme: dark" in b"".join(part for each in served for part in each)
    assert not re.search(
        r"<script|<style|style=|(?:src|href)=\"(?:https?:)?//(?!127\.0\.0\.1)", html
    )


def test_the_admin_site_leads_to_it(admin_client: Client) -> None:
    assert '<a href="/docs/">Manual</a>' in admin_client.get("/").content.decode()


def _turn(client: Client, name: str, direction: str) -> str | None:
    html = client.get(address(name)).content.decode()
    found = re.search(rf'<a rel="{direction}" href="([^"]+)">', html)
    return found and found[1]
