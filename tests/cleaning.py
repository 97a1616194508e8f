"""Empties the databases after a test that commits: only the tables that have rows.

Django's own way truncates every table, and then makes all content types and permissions again. That
costs up to a second, in hundreds of tests that have written a few rows.
"""

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

KEPT = (ContentType, Permission)
"""Made by `migrate`, and by a flush again; no test changes them."""

_kept_rows: dict[str, list[int]] = {}
"""How many rows of these each database has after a flush."""


def empty_databases(case: TransactionTestCase) -> None:
    """Do as Django's `TransactionTestCase._fixture_teardown` does."""
    for alias in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        empty(alias)
    ContentType.objects.clear_cache()


def empty(alias: str) -> None:
    """Delete all rows but those that a flush would make again; flush if these are not all there."""
    delete_rows(alias)
    if kept_rows(alias) != _kept_rows.get(alias):
        call_command("flush", database=alias, interactive=False, verbosity=0, reset_sequences=False)
        _kept_rows[alias] = kept_rows(alias)


def kept_rows(alias: str) -> list[int]:
    return [model._default_manager.using(alias).count() for model in KEPT]


def delete_rows(alias: str) -> None:
    connection = connections[alias]
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        for table in tables_with_rows(connection):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


def tables_with_rows(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the tables of models that are not empty, without those that are kept."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    kept = {model._meta.db_table for model in KEPT}
    looks = [
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(name)})"
        for name in names
        if name not in kept
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(looks))
        return [name for (name,) in cursor.fetchall()]
