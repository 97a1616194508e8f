# The public record: entries, cursors, checkpoints.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0019_signals_confidence"),
    ]

    operations = [
        migrations.CreateModel(
            name="RecordCheckpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("size", models.BigIntegerField(unique=True)),
                ("root", models.BinaryField()),
                ("note", models.TextField()),
                ("signed_at", models.DateTimeField()),
                ("kept", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "record_checkpoints",
            },
        ),
        migrations.CreateModel(
            name="RecordHead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("origin", models.TextField()),
                ("owner", models.TextField()),
                (
                    "begun_at",
                    models.DateTimeField(help_text="Lines that were received earlier are history"),
                ),
                ("size", models.BigIntegerField(default=0)),
                ("edge", models.BinaryField(default=b"")),
                ("restored", models.BigIntegerField(default=0)),
                ("entered_at", models.DateTimeField(help_text="When the last entry was made")),
                ("stopped", models.TextField(blank=True, default="")),
                (
                    "refused",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Code and sentence of why it was not signed last time",
                    ),
                ),
            ],
            options={
                "db_table": "record_heads",
            },
        ),
        migrations.CreateModel(
            name="RecordCursor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sequence", models.BigIntegerField(default=0)),
                ("segment", models.IntegerField(default=1)),
                ("byte", models.BigIntegerField(default=0)),
                ("fingerprint", models.TextField(blank=True, default="")),
                ("matched", models.BigIntegerField(default=0)),
                ("upto", models.BigIntegerField(default=0)),
                (
                    "journal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recorded",
                        to="signals.journalcursor",
                    ),
                ),
            ],
            options={
                "db_table": "record_cursors",
            },
        ),
        migrations.CreateModel(
            name="RecordEntry",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        help_text="The index", primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("signal", "a signal, received live"),
                            ("outcome", "a change of an outcome"),
                            ("history", "a line from before, or one that was not received live"),
                            ("strategy", "a strategy, by name"),
                            ("account", "an account, by name"),
                            ("mark", "a witnessed or stamped checkpoint"),
                            ("heartbeat", "nothing happened"),
                            ("key", "a new key"),
                        ]
                    ),
                ),
                ("at", models.BigIntegerField(help_text="Microseconds since 1970")),
                ("digest", models.BinaryField(null=True)),
                ("note", models.TextField(help_text="As JSON", null=True)),
                ("leaf", models.BinaryField(help_text="The hash of the leaf")),
            ],
            options={
                "db_table": "record_entries",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "signal",
                                    "outcome",
                                    "history",
                                    "strategy",
                                    "account",
                                    "mark",
                                    "heartbeat",
                                    "key",
                                ],
                            )
                        ),
                        name="record_entries_known_values",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordName",
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
                        choices=[("strategy", "a strategy"), ("account", "an account")]
                    ),
                ),
                ("note", models.TextField(help_text="The name, as JSON")),
                ("entry", models.BigIntegerField()),
            ],
            options={
                "db_table": "record_names",
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "note"), name="record_names_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["strategy", "account"])),
                        name="record_names_known_values",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordRun",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        help_text="The index of the first entry", primary_key=True, serialize=False
                    ),
                ),
                ("count", models.IntegerField(help_text="How many entries")),
                (
                    "sequence",
                    models.BigIntegerField(help_text="The index of the first line in the sequence"),
                ),
            ],
            options={
                "db_table": "record_runs",
                "indexes": [models.Index(fields=["sequence"], name="record_runs_sequence")],
            },
        ),
        migrations.CreateModel(
            name="RecordCosignature",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("witness", models.TextField(help_text="The name of its key")),
                ("line", models.TextField(help_text="The signature line without its newline")),
                ("time", models.BigIntegerField(null=True)),
                (
                    "checkpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cosignatures",
                        to="signals.recordcheckpoint",
                    ),
                ),
            ],
            options={
                "db_table": "record_cosignatures",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("checkpoint", "line"), name="record_cosignatures_once"
                    )
                ],
            },
        ),
    ]
