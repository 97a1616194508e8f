"""The doors of a test's own installation."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from signals.keys import create_key
from tests.signals.doors.doors import Doors


@pytest.fixture
def key(db: None) -> str:
    return create_key("sender", ["read", "write"])


@pytest.fixture
def doors(key: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doors:
    return Doors(Client(headers={"X-API-Key": key}), settings, tmp_path, monkeypatch)
