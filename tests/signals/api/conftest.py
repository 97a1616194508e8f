"""Clients of the API with keys."""

import pytest
from django.test import Client

from signals.config import flusher
from signals.keys import create_key
from signals.ledger.flush import FlushResult


@pytest.fixture
def writer(db: None) -> Client:
    return Client(headers={"X-API-Key": create_key("writer", ["read", "write"])})


@pytest.fixture
def reader(db: None) -> Client:
    return Client(headers={"X-API-Key": create_key("reader", ["read"])})


def flush() -> FlushResult:
    """Do what a worker does a moment after a signal was accepted."""
    return flusher().flush()
