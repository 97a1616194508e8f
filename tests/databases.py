"""Marks for tests of the ledger on both databases."""

import pytest

from tests.services import POSTGRESQL

DATABASES = ["default", "postgresql"] if POSTGRESQL.answers() else ["default"]
both_databases = pytest.mark.django_db(databases=DATABASES, transaction=True)
