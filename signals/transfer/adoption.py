"""Adopts a `signals` table that the older system made, with its rows in place."""

from collections.abc import Iterator
from typing import Any

from django.apps.registry import Apps
from django.core.management.base import CommandError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from signals import config
from signals.clock import utc_now
from signals.dialect import signals_table
from signals.ledger.records import SIGNAL_COLUMNS, encode_history

BATCH_SIZE = 1000


def create_or_adopt_signals(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the table, or check that the existing one has the seed's columns.

    Raises CommandError if it has other columns.
    """
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if "signals" not in connection.introspection.table_names(cursor):
            schema_editor.execute(signals_table(connection.vendor))
            return
        described = connection.introspection.get_table_description(cursor, "signals")
    columns = tuple(column.name for column in described)
    if columns != ("id", *SIGNAL_COLUMNS):
        raise CommandError(
            f"{connection.settings_dict['NAME']} has a table `signals` of another schema "
            f"({', '.join(columns)}). Move it away, migrate, and then import its rows with "
            "import_signals."
        )


def journal_adopted_rows(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Write a journal line for each row that has none, so that the journal alone can rebuild it.

    If it runs again after a crash, it repeats lines; the flush counts them as duplicates.
    """
    for rows in _batches_of_rows(schema_editor):
        now = utc_now()
        config.journal().append([encode_history(row, now, "adopted") for row in rows])


def _batches_of_rows(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[list[dict[str, Any]]]:
    columns = ", ".join(f"s.{column}" for column in SIGNAL_COLUMNS)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM signals s LEFT JOIN signal_contexts c ON c.id = s.id "  # noqa: S608
            "WHERE c.id IS NULL ORDER BY s.id"
        )
        while rows := cursor.fetchmany(BATCH_SIZE):
            yield [dict(zip(SIGNAL_COLUMNS, row, strict=True)) for row in rows]
