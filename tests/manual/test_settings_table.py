"""The manual's table of settings is made from .env.example, which has every setting."""

from argo.settings import env
from tests.manual.settings_table import PAGE, renewed, settings


def test_the_table_is_the_one_that_is_made() -> None:
    """If this fails: `python -m tests.manual.settings_table` makes it again."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page)


def test_the_example_has_every_setting_once() -> None:
    assert sorted(each.name for each in settings()) == sorted(env.asked)


def test_every_setting_has_a_meaning_and_a_section() -> None:
    assert [each.name for each in settings() if not (each.meaning and each.section)] == []
