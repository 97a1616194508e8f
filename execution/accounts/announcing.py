"""Publishes that a halt was set or lifted. Those of a replay are not announced."""

from collections.abc import Iterable

from execution.models import Halt
from execution.types import REPLAY
from signals.events import EventType, publish_each
from signals.timestamps import utc_text

TEXTS = ("account", "code", "reason", "latched_by")
LIFTED = ("lifted_by", "lifted_why")


def announce_set(halt: Halt) -> None:
    """Publish `halt.set`."""
    _publish(EventType.HALT_SET, [halt])


def announce_lifted(lifted: Iterable[Halt]) -> None:
    """Publish `halt.lifted` for each of these."""
    _publish(EventType.HALT_LIFTED, lifted)


def _publish(kind: EventType, halts: Iterable[Halt]) -> None:
    publish_each(kind, lambda: [_data(halt) for halt in halts if halt.account != REPLAY])


def _data(halt: Halt) -> dict[str, object]:
    return {
        **{name: getattr(halt, name) for name in TEXTS},
        "figures": halt.figures,
        "latched_at": utc_text(halt.latched_at),
        "lifted_at": utc_text(halt.lifted_at) if halt.lifted_at else None,
        **{name: getattr(halt, name) if halt.lifted_at else "" for name in LIFTED},
    }
