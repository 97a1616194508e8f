"""Turns a Markdown page into HTML with anchors, a table of contents and links that work."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import urlsplit

from django.urls import reverse
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin

INDEX = "README"
"""The page at /docs/. Code forges show a file of this name with its folder."""
_SECTION = "h2"
_SUFFIX = ".md"


class Section(NamedTuple):
    """An entry of the table of contents: a heading and its anchor."""

    anchor: str
    title: str


class Rendered(NamedTuple):
    """A page as HTML, with its title and its second-level headings."""

    title: str
    html: str
    sections: Sequence[Section]


def parser() -> MarkdownIt:
    """Return the parser of the manual: CommonMark and tables, without raw HTML.

    Headings get the anchors that code forges give them, so that one link works in both places.
    """
    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    return made.use(anchors_plugin, max_level=3)


def render(text: str) -> Rendered:
    """Render one page. Its first heading is the title."""
    markdown = parser()
    tokens = markdown.parse(text)
    for token in _inside(tokens):
        if token.type == "link_open":
            token.attrSet("href", served(str(token.attrGet("href"))))
    html: str = markdown.renderer.render(list(_scrolling(tokens)), markdown.options, {})
    headings = list(_headings(tokens))
    title = next((heading for tag, _, heading in headings if tag == "h1"), "")
    sections = [Section(anchor, heading) for tag, anchor, heading in headings if tag == _SECTION]
    return Rendered(title, html, sections)


def served(href: str) -> str:
    """Return the address at which a link between two Markdown files is served."""
    parts = urlsplit(href)
    if parts.scheme or not parts.path.endswith(_SUFFIX):
        return href
    return parts._replace(path=address(parts.path.removesuffix(_SUFFIX))).geturl()


def address(name: str) -> str:
    """Return the address of the page of that name."""
    return reverse("manual:index") if name == INDEX else reverse("manual:page", args=[name])


def _inside(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def _headings(tokens: Sequence[Token]) -> Iterator[tuple[str, str, str]]:
    """Yield the tag, the anchor and the plain text of each heading."""
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            text = "".join(child.content for child in content.children or ())
            yield opening.tag, str(opening.attrGet("id") or ""), text


def _scrolling(tokens: Sequence[Token]) -> Iterator[Token]:
    """Put each table into a box of its own, in which it scrolls on a narrow screen."""
    for token in tokens:
        if token.type == "table_open":
            yield Token("box_open", "div", 1, attrs={"class": "table", "tabindex": "0"})
        yield token
        if token.type == "table_close":
            yield Token("box_close", "div", -1)
