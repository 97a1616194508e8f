"""Visits every page of the navigation, and the first rows that it lists."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Page

from tests import hostile

LINKS = "nav[aria-label='Pages'] a"
ROWS = "#result_list tbody a[href]"
ROWS_OPENED = 2
"""Rows of a list whose pages are opened: the newest, which have hostile text."""
SPOILED = """() => [...document.querySelectorAll("script:not([src], [type$=json]), img[src=x i]")]
    .map((element) => element.outerHTML).concat(window.hit === undefined ? [] : ["it ran"])"""
TEXT = """() => [...document.querySelectorAll("input, textarea, option")]
    .map((element) => element.value).concat(document.body.textContent).join("\\n")"""
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True)
class Visit:
    """What was found on a page: its status, hostile fields that it shows, and its faults."""

    address: str
    status: int
    shown: frozenset[str]
    spoiled: tuple[str, ...]
    too_wide: int
    """Pixels by which it must be moved sideways."""


def crawl(page: Page, others: list[str]) -> Iterator[Visit]:
    """Visit the pages of the navigation, of the first rows of each list, and `others`."""
    page.goto("/")
    lists = _addresses(page, LINKS)
    for address in [*lists, *others]:
        yield _visit(page, address)
        for row in _addresses(page, ROWS)[:ROWS_OPENED]:
            yield _visit(page, row)


def _addresses(page: Page, links: str) -> list[str]:
    found = page.locator(links).evaluate_all("links => links.map((link) => link.href)")
    return list(dict.fromkeys(found))


def _visit(page: Page, address: str) -> Visit:
    answer = page.goto(address)
    assert answer is not None
    spoiled, too_wide = page.evaluate(SPOILED), page.evaluate(WIDTH)
    return Visit(address, answer.status, _shown(page), tuple(spoiled), too_wide)


def _shown(page: Page) -> frozenset[str]:
    """Return the fields whose hostile text is on the page, as it is or as JSON has it."""
    found = page.evaluate(TEXT)
    texts = {field: hostile.text(field) for field in hostile.FIELDS}
    return frozenset(
        field
        for field, text in texts.items()
        if text in found or json.dumps(text, ensure_ascii=False)[1:-1] in found
    )
