"""The memory for the bodies that are being read."""


class Budget:
    """Counts bytes up to a limit. Only the event loop's thread uses it."""

    def __init__(self, limit: int) -> None:
        self._free = limit

    def take(self, count: int) -> bool:
        """Take `count` bytes; return False, and take none, if so many are not free."""
        if count > self._free:
            return False
        self._free -= count
        return True

    def give_back(self, count: int) -> None:
        """Return bytes that were taken."""
        self._free += count
