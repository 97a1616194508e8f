"""Every link of README.md and the manual leads somewhere, on a code forge and as it is served."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

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


def test_links_of_served_pages_lead_to_pages_and_headings(admin_client: Client) -> None:
    served = {address(name): _Page.of(admin_client, address(name)) for name in NAMES}
    for url, page in list(served.items()):
        for href in page.hrefs:
            target, anchor = urldefrag(urljoin(url, href))
            if not urlsplit(target).scheme:
                there = served.get(target) or served.setdefault(
                    target, _Page.of(admin_client, target)
                )
                assert not anchor or anchor in there.anchors, f"{href} on {url}"


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
        page.feed(answer.content.decode())
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.hrefs.append(str(given["href"]))
        if given.get("id"):
            self.anchors.add(str(given["id"]))
