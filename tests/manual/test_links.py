"""Every link of README.md and the manual leads somewhere, on a code forge and as it is served."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

import pytest
from django.test import Client

from argo.manual.pages import NAMES
from argo.manual.rendering import address, parser
from tests.manual.blocks import documents

HERE = "http://127.0.0.1:8000"
ELSEWHERE = ("http://127.0.0.1:8001/admin/",)
"""The demo's second Argo."""


@pytest.mark.parametrize("name", documents())
def test_links_between_files_lead_to_files_and_headings(name: str) -> None:
    path = documents()[name]
    for href in _hrefs(path):
        target, anchor = urldefrag(href)
        if urlsplit(href).scheme:
            continue
        file = (path.parent / target).resolve() if target else path
        assert file.is_file(), href
        assert not anchor or anchor in _anchors(file), href


@pytest.mark.parametrize("name", documents())
def test_links_to_a_running_argo_lead_to_pages(name: str, admin_client: Client) -> None:
    for href in _hrefs(documents()[name]):
        if urlsplit(href).scheme and href not in ELSEWHERE:
            assert href.startswith(HERE), f"{href}: Argo alone is linked to"
            assert admin_client.get(href.removeprefix(HERE)).status_code == 200, href


@pytest.mark.parametrize("name", NAMES)
def test_links_of_served_pages_lead_to_pages_and_headings(name: str, admin_client: Client) -> None:
    page = _Page.of(admin_client, address(name))
    for href in page.hrefs:
        target, anchor = urldefrag(href)
        if href.startswith("http"):
            continue
        assert not target.endswith(".md"), href
        there = _Page.of(admin_client, target) if target else page
        assert not anchor or anchor in there.anchors, href


def _hrefs(path: Path) -> Iterator[str]:
    for token in parser().parse(path.read_text(encoding="utf-8")):
        for child in token.children or ():
            if child.type == "link_open":
                yield str(child.attrGet("href"))


def _anchors(path: Path) -> set[str]:
    tokens = parser().parse(path.read_text(encoding="utf-8"))
    return {str(token.attrGet("id")) for token in tokens if token.type == "heading_open"}


class _Page(HTMLParser):
    """A served page: where its links lead, and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.anchors: set[str] = set()

    @classmethod
    def of(cls, client: Client, url: str) -> "_Page":
        answer = client.get(url)
        assert answer.status_code == 200, url
        page = cls()
        if re.match("text/html", answer["Content-Type"]):
            page.feed(answer.content.decode())
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("a", "link") and given.get("href"):
            self.hrefs.append(str(given["href"]))
        if given.get("id"):
            self.anchors.add(str(given["id"]))
