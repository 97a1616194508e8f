"""What is loaded before the first request, so that no page waits for it."""

import logging
from pathlib import Path

import pytest
from django.template import Template, TemplateSyntaxError
from django.template.loader import get_template
from pytest_django import Settings

from argo.manual import pages
from argo.site.warming import warm_up
from tests.argo.pages import client_of, shown

PAGES = (
    "/", "/running/", "/problems/", "/history/", "/limits/", "/report/", "/docs/", "/docs/trade/",
    "/admin/signals/signal/", "/admin/execution/decision/", "/profile/", "/preferences/",
)  # fmt: skip


@pytest.mark.django_db
def test_no_page_compiles_a_template_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(template: Template) -> None:
        raise AssertionError(f"{template.name} is compiled late")

    warm_up()
    viewer = client_of()
    with monkeypatch.context() as patch:
        patch.setattr(Template, "compile_nodelist", compiled)
        for address in PAGES:
            shown(viewer, address)


def test_the_manual_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a mark for it, the test also shows that the database is not asked."""
    pages._rendered.cache_clear()
    warm_up()
    assert pages._rendered.cache_info().currsize == len(pages.NAMES)


def test_a_broken_template_is_reported_and_breaks_no_other_page(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken.html").write_text("{% nonsense %}")
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [engine | {"DIRS": [tmp_path, *engine["DIRS"]]}]
    with caplog.at_level(logging.WARNING):
        warm_up()
    assert "The template broken.html cannot be used" in caplog.text
    assert get_template("dashboard/dashboard.html")
    with pytest.raises(TemplateSyntaxError):
        get_template("broken.html")
