"""Celery tasks: flushing the journal, and making signals."""

from functools import cache
from typing import TYPE_CHECKING

from celery import shared_task
from django.conf import settings

from signals.config import flusher

if TYPE_CHECKING:
    from signals.generation.service import SignalGenerationService


@shared_task(name="signals.tasks.flush")
def flush() -> int:
    """Drain the journal into the database; answers how many signals became rows.

    A hint, or beat's regular look; losing or repeating it harms nothing.
    """
    return flusher().flush().stored


@shared_task(name="signals.tasks.generate")
def generate() -> int:
    """One cycle over MARKET_SYMBOLS; answers how many signals it made.

    Fails where a symbol failed, once the others are dealt with.
    """
    return _service().run_and_count(settings.MARKET_SYMBOLS)


@cache
def _service() -> "SignalGenerationService":
    """One for this process, which keeps its connections from one cycle to the next.

    Loaded here, since TA-Lib and the calendars bring pandas: 80 MiB that no other worker needs.
    """
    from signals.generation.factory import service

    return service()
