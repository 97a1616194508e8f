"""Reads panels: one that cannot be read says so and hides no other one."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import DatabaseError

from argo.errors import ArgoError

logger = logging.getLogger(__name__)
Content = dict[str, Any]


class Moment(NamedTuple):
    """What a panel is read for: the time now, and the account to show."""

    now: datetime
    account: str


@dataclass(frozen=True)
class Panel:
    """A panel: its name in addresses, its heading, and what reads its content.

    The template is `dashboard/NAME.html`. A `wide` panel takes the whole row.
    """

    name: str
    title: str
    read: Callable[[Moment], Content]
    wide: bool = False

    @property
    def template(self) -> str:
        return f"dashboard/{self.name}.html"


def read_each(panels: Iterable[Panel], moment: Moment) -> Iterator[Content]:
    """Yield each panel with its content, or with the reason why it has none."""
    for panel in panels:
        try:
            yield {"panel": panel, "content": panel.read(moment), "failure": ""}
        except (ArgoError, DatabaseError, OSError) as error:
            logger.warning("The panel %s cannot be read: %s", panel.name, error)
            yield {"panel": panel, "content": {}, "failure": str(error)}
