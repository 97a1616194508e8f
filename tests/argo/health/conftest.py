"""Questions without the answers of an earlier test."""

import pytest

from argo.health import intake, processes
from argo.health.bounded import Bounded


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask anew about the tables and the broker."""
    monkeypatch.setattr(intake, "_tables", intake._Tables())
    tables = Bounded(intake._missing_migrations, wait=30.0)
    monkeypatch.setattr(intake, "_count_missing", tables)
    monkeypatch.setattr(processes, "_probe", Bounded(processes._ask, wait=1.0))
