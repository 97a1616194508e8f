"""Loads before the first request what it would load: otherwise the first pages take seconds."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.template import Engine, TemplateDoesNotExist, TemplateSyntaxError, engines

from argo.manual.pages import pages

logger = logging.getLogger(__name__)


def warm_up() -> None:
    """Load the templates, those of forms too, and the manual. It asks nothing of the database."""
    backend: Any = engines["django"]  # the forms' templates are among its own: see FORM_RENDERER
    for name in _names(backend.template_dirs):
        _load(backend.engine, name)
    for page in pages():
        page.rendered  # noqa: B018  # it is kept until the file changes


def _names(folders: Iterable[str | Path]) -> Iterator[str]:
    for folder in map(Path, folders):
        yield from (file.relative_to(folder).as_posix() for file in folder.rglob("*.html"))


def _load(engine: Engine, name: str) -> None:
    """Load a template, which is then kept; one that is broken breaks only its own page.

    If it extends another one of the same name, that one is loaded too.
    """
    try:
        template, _ = engine.find_template(name)
        with suppress(TemplateDoesNotExist):
            engine.find_template(name, skip=[template.origin])
    except TemplateSyntaxError as error:
        logger.warning("The template %s cannot be used: %s", name, error)
