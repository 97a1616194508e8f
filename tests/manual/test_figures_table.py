"""The manual's table of figures is made from their definitions."""

from tests.manual.figures_table import PAGE, renewed


def test_the_table_is_the_one_that_is_made() -> None:
    """If this fails: `python -m tests.manual.figures_table` makes it again."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page)
