"""Both databases, and an account that trades on paper."""

from tests.execution.conftest import database, trading

__all__ = ["database", "trading"]
