"""The codes of the problems, and the places in the manual that they lead to."""

from argo.health import registry
from argo.manual.pages import Page


def codes() -> set[str]:
    """Return the code of every kind of problem."""
    return set(registry.kinds())


def dead_links() -> list[str]:
    """Return the pages of problems that are not there, or lack the anchor."""
    pages = {kind.page for kind in registry.kinds().values()}
    return [page for page in sorted(pages) if not _is_there(page)]


def _is_there(page: str) -> bool:
    name, _, anchor = page.partition("#")
    found = Page(name.removesuffix(".md"))
    return found.path.exists() and f'id="{anchor}"' in found.rendered.html
