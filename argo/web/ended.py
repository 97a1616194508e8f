"""Counts the connections that the web server ended, for the log."""

import logging
from collections import Counter

logger = logging.getLogger(__name__)


class Ended:
    """Counts reasons; reports them together, so that an attack does not fill the log."""

    def __init__(self) -> None:
        self._reasons: Counter[str] = Counter()

    def count(self, reason: str) -> None:
        """Count a connection that was ended for this reason."""
        self._reasons[reason] += 1

    async def report(self) -> None:
        """Log what was counted since the last report, if anything was."""
        if self._reasons:
            reasons = "; ".join(f"{count} {reason}" for reason, count in self._reasons.items())
            logger.warning("Connections that the web server ended: %s", reasons)
            self._reasons.clear()
