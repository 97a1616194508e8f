"""The pages of the manual, in the order in which they are read."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from django.conf import settings

from argo.manual.rendering import INDEX, Rendered, address, render

NAMES = (
    INDEX, "start", "dashboard", "log", "alerts", "generate", "sync", "webhooks", "trade",
    "prop-firms", "backtest", "report", "calibration", "record", "recover", "backup", "settings",
    "api", "feed", "operations", "topology", "monitoring", "service", "upgrade", "architecture",
)  # fmt: skip


def folder() -> Path:
    """Return the folder that holds the Markdown files."""
    return Path(settings.BASE_DIR) / "templates" / "docs"


@dataclass(frozen=True)
class Page:
    """One page: `name` is its file without `.md`, and the last part of its address."""

    name: str

    @property
    def path(self) -> Path:
        return folder() / f"{self.name}.md"

    @cached_property
    def rendered(self) -> Rendered:
        """Return the page as HTML; the file is read again only after it has changed."""
        return _rendered(self.path, self.path.stat().st_mtime_ns)

    @property
    def title(self) -> str:
        return self.rendered.title

    @property
    def url(self) -> str:
        return address(self.name)


def pages() -> list[Page]:
    """Return every page, in reading order."""
    return [Page(name) for name in NAMES]


@lru_cache(maxsize=2 * len(NAMES))
def _rendered(path: Path, modified: int) -> Rendered:
    return render(path.read_text(encoding="utf-8"))
