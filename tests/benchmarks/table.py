"""Formats figures as a table, for a terminal or as Markdown."""

from collections.abc import Sequence

from tests.benchmarks.figures import Figure

HEAD = ("what", "Argo", "the reference", "ratio", "target", "")


def plain(figures: Sequence[Figure]) -> str:
    """Return a table in plain text, with aligned columns."""
    rows = [HEAD, *map(_cells, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def markdown(figures: Sequence[Figure]) -> str:
    """Return a table in Markdown, for `templates/docs/operations.md`."""
    rows = [HEAD, ("---",) * len(HEAD), *map(_cells, figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(figure: Figure) -> tuple[str, ...]:
    return (*figure[:5], "" if figure.met else "missed")
