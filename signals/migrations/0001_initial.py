"""The ledger's tables. A `signals` table of the seed's schema is adopted, rows in place."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from signals.transfer.adoption import create_or_adopt_signals, journal_adopted_rows


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Signal",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("signal_id", models.TextField(unique=True)),
                        ("symbol", models.TextField()),
                        ("action", models.TextField()),
                        ("entry_price", models.FloatField()),
                        ("target_price", models.FloatField()),
                        ("stop_price", models.FloatField()),
                        ("confidence", models.FloatField()),
                        ("strategy", models.TextField()),
                        ("asset_type", models.TextField()),
                        (
                            "data_source",
                            models.TextField(
                                db_default=models.Value("weighted_consensus"), null=True
                            ),
                        ),
                        ("timestamp", models.TextField()),
                        ("outcome", models.TextField(db_default=models.Value(None), null=True)),
                        ("exit_price", models.FloatField(db_default=models.Value(None), null=True)),
                        (
                            "profit_loss_pct",
                            models.FloatField(db_default=models.Value(None), null=True),
                        ),
                        ("sha256", models.TextField()),
                        ("order_id", models.TextField(db_default=models.Value(None), null=True)),
                        (
                            "created_at",
                            models.TextField(
                                db_default=django.db.models.functions.datetime.Now(), null=True
                            ),
                        ),
                    ],
                    options={
                        "db_table": "signals",
                    },
                ),
            ],
            database_operations=[
                migrations.RunPython(create_or_adopt_signals),
            ],
        ),
        migrations.CreateModel(
            name="JournalCursor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("journal", models.TextField(help_text="The journal's identity", unique=True)),
                ("segment", models.IntegerField(default=1)),
                ("byte", models.BigIntegerField(default=0)),
                ("fingerprint", models.TextField(blank=True, default="")),
            ],
            options={
                "db_table": "journal_cursors",
            },
        ),
        migrations.CreateModel(
            name="SignalContext",
            fields=[
                (
                    "signal",
                    models.OneToOneField(
                        db_column="id",
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="context",
                        serialize=False,
                        to="signals.signal",
                    ),
                ),
                (
                    "segment",
                    models.IntegerField(help_text="Where its line is: the journal's segment"),
                ),
                (
                    "byte",
                    models.BigIntegerField(help_text="Where its line is: the byte in the segment"),
                ),
                ("origin", models.TextField()),
                ("received_at", models.TextField()),
                ("regime", models.TextField(null=True)),
                ("reasoning", models.TextField(null=True)),
                ("sources", models.IntegerField(null=True)),
                ("agreement", models.FloatField(null=True)),
                ("votes", models.JSONField(null=True)),
                (
                    "extra",
                    models.JSONField(
                        help_text="Fields that came along and have no name here", null=True
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="signals.journalcursor",
                    ),
                ),
            ],
            options={
                "db_table": "signal_contexts",
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("line", "a journal line that is no signal"),
                            ("conflict", "the same signal id with another hash"),
                            ("refused", "a signal that the database refused"),
                            ("change", "an outcome that does not fit the signal"),
                            ("journal", "a journal file that was lost or replaced"),
                        ]
                    ),
                ),
                ("segment", models.IntegerField()),
                ("byte", models.BigIntegerField()),
                ("signal_id", models.TextField(blank=True, default="")),
                ("reason", models.TextField()),
                ("payload", models.BinaryField()),
                (
                    "digest",
                    models.TextField(
                        help_text="SHA-256 of the payload: another line is another letter"
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "journal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="signals.journalcursor"
                    ),
                ),
            ],
            options={
                "db_table": "dead_letters",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("journal", "segment", "byte", "kind", "digest"),
                        name="dead_letters_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OutcomeChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("change_id", models.TextField(unique=True)),
                ("who", models.TextField()),
                ("at", models.TextField(help_text="UTC")),
                ("why", models.TextField()),
                ("before", models.JSONField()),
                ("after", models.JSONField()),
                (
                    "journal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="signals.journalcursor",
                    ),
                ),
                (
                    "signal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="signals.signal",
                    ),
                ),
            ],
            options={
                "db_table": "outcome_changes",
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("sha256", models.TextField(unique=True)),
                ("prefix", models.TextField(help_text="The first characters, to tell keys apart")),
                ("can_read", models.BooleanField(default=True)),
                ("can_write", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "API key",
                "db_table": "api_keys",
            },
        ),
        migrations.AddIndex(
            model_name="signal",
            index=models.Index(fields=["timestamp", "id"], name="signals_time"),
        ),
        migrations.AddIndex(
            model_name="signal",
            index=models.Index(fields=["symbol", "timestamp", "id"], name="signals_symbol_time"),
        ),
        migrations.RunPython(journal_adopted_rows),
    ]
