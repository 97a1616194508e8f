"""The instants of signals whose timestamp does not sort by time, those that are stored too."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from signals.timestamps import instant_text

BATCH_SIZE = 20_000
READ = "SELECT id, symbol, timestamp FROM signals WHERE id > %s ORDER BY id LIMIT %s"
INSERT = "INSERT INTO signal_instants (id, symbol, at) VALUES (%s, %s, %s)"


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add the instants, a batch of signals at a time; if there are any, the sums begin anew."""
    found, last = 0, 0
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute(READ, [last, BATCH_SIZE])
            rows = cursor.fetchall()
            if not rows:
                break
            last = rows[-1][0]
            needed = [
                (row, symbol, at)
                for row, symbol, timestamp in rows
                if (at := instant_text(str(timestamp))) is not None
            ]
            if needed:
                cursor.executemany(INSERT, needed)
            found += len(needed)
        if found:  # they were summed by the text of their day
            cursor.execute("UPDATE signal_sum_cursors SET signal = 0, change = 0")
            cursor.execute("DELETE FROM signal_sums")


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0009_symbol_as_sent"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignalInstant",
            fields=[
                (
                    "signal",
                    models.OneToOneField(
                        db_column="id",
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="instant",
                        serialize=False,
                        to="signals.signal",
                    ),
                ),
                ("symbol", models.TextField()),
                (
                    "at",
                    models.TextField(
                        help_text="UTC, as Argo writes it; empty if the text is not a time"
                    ),
                ),
            ],
            options={
                "db_table": "signal_instants",
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="signalinstant",
            index=models.Index(fields=["at", "signal"], name="signal_instants_time"),
        ),
        migrations.AddIndex(
            model_name="signalinstant",
            index=models.Index(
                fields=["symbol", "at", "signal"], name="signal_instants_symbol_time"
            ),
        ),
    ]
