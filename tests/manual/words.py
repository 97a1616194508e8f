"""The codes that the manual's tables explain, from the first column of each."""

from collections.abc import Iterator
from itertools import pairwise

from markdown_it.token import Token

from argo.manual.pages import Page
from argo.manual.rendering import parser

Table = dict[str, str]


def tables(page: str) -> dict[str, Table]:
    """Return a page's tables by the heading of their first column: each code with its meaning."""
    found: dict[str, Table] = {}
    for row in _rows(parser().parse(Page(page).path.read_text(encoding="utf-8"))):
        (first, *rest), is_head = row
        if is_head:
            name = first.content
        else:
            table = found.setdefault(name, {})
            codes = [child for child in first.children or () if child.type == "code_inline"]
            table |= {code.content: rest[0].content for code in codes}
    return found


def cells(page: str, heading: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the rows of the table with this first heading: the text of the first cell, and the
    codes of the row."""
    is_it = False
    for row, is_head in _rows(parser().parse(Page(page).path.read_text(encoding="utf-8"))):
        if is_head:
            is_it = row[0].content == heading
        elif is_it:
            children = [child for cell in row for child in cell.children or ()]
            codes = [child.content for child in children if child.type == "code_inline"]
            yield row[0].content, codes


def _rows(tokens: list[Token]) -> Iterator[tuple[list[Token], bool]]:
    """Yield the cells of each row, and whether they are headings."""
    cells: list[Token] = []
    is_head = False
    for before, token in pairwise(tokens):
        if token.type == "inline" and before.type in ("th_open", "td_open"):
            cells.append(token)
            is_head = before.type == "th_open"
        elif token.type == "tr_close":
            yield cells, is_head
            cells = []
