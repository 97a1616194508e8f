"""The operator's own wording of messages: templates in the folder NOTIFY_TEMPLATES.

The file `CODE.txt` is the wording of one kind, such as `execution.halted.txt` or `halt.set.txt`;
`all.txt` is that of all others. Its first line is the title, the rest the body. It is a template of
Django's that gets `title`, `body`, `about` and `data`. A broken one never stops a message: that
goes out as Argo words it, and says what is wrong with the template.
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.template import Context, Engine

logger = logging.getLogger(__name__)
DEFAULT = "all"
_CODE = re.compile(r"[a-z0-9_]+([.-][a-z0-9_]+)*")
MAX_BYTES = 65536
Worded = tuple[str, str]
"""A title and a body."""


class TemplateBroken(Exception):
    """A template of the operator's cannot be read or rendered, or gives no title."""


def template_for(about: str) -> Path | None:
    """Return the operator's template for messages about this; None if there is none."""
    names = [about, DEFAULT] if _CODE.fullmatch(about) else [DEFAULT]
    paths = (settings.NOTIFY_TEMPLATES / f"{name}.txt" for name in names)
    return next((path for path in paths if path.is_file()), None)


def worded(about: str, title: str, body: str, data: Mapping[str, object]) -> Worded:
    """Return the message as the operator's template words it, or as it is without one."""
    try:
        return rendered(about, title, body, data)
    except TemplateBroken as error:
        logger.warning("%s The message goes out without it.", error)
        return title, f"{body}\n\n({str(error)[:300]})".strip()


def rendered(about: str, title: str, body: str, data: Mapping[str, object]) -> Worded:
    """Return the same. Raises `TemplateBroken` in place of going on without the template."""
    if (path := template_for(about)) is None:
        return title, body
    try:
        return _rendered(path, {"title": title, "body": body, "about": about, "data": dict(data)})
    except Exception as error:
        why = f"The template {path.name} is broken: {type(error).__name__}: {error}."
        raise TemplateBroken(why) from error


def _rendered(path: Path, values: dict[str, object]) -> Worded:
    """Return the first line and the rest. Raises what a broken template raises."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    engine = Engine(dirs=[str(path.parent)], autoescape=False)
    text = engine.from_string(path.read_text(encoding="utf-8")).render(
        Context(values, autoescape=False)
    )
    title, _, body = text.partition("\n")
    if not title.strip():
        raise ValueError("it gives no title")
    return title.strip(), body.strip()
