"""The sections of a page: read as the dashboard's panels are, so that none hides another one."""

from dataclasses import dataclass

from argo.dashboard.panel import Panel


@dataclass(frozen=True)
class Section(Panel):
    """A panel of a page of operations; its template is `operations/NAME.html`."""

    @property
    def template(self) -> str:
        return f"operations/{self.name}.html"
