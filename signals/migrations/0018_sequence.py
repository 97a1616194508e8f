# The sequence: one index for each journal line, for the feed.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0017_senders"),
    ]

    operations = [
        migrations.CreateModel(
            name="LateEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("signal", models.BigIntegerField(null=True)),
                ("change", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "sequence_late",
            },
        ),
        migrations.CreateModel(
            name="SequenceHead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("next", models.BigIntegerField(default=1)),
            ],
            options={
                "db_table": "sequence_heads",
            },
        ),
        migrations.CreateModel(
            name="SequenceCursor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("segment", models.IntegerField(default=1)),
                ("byte", models.BigIntegerField(default=0)),
                ("fingerprint", models.TextField(blank=True, default="")),
                (
                    "journal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sequenced",
                        to="signals.journalcursor",
                    ),
                ),
            ],
            options={
                "db_table": "sequence_cursors",
            },
        ),
        migrations.CreateModel(
            name="SequenceEntry",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        help_text="The index", primary_key=True, serialize=False
                    ),
                ),
                ("signal", models.BigIntegerField(null=True)),
                ("change", models.BigIntegerField(null=True)),
                ("byte", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "sequence_entries",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("signal__isnull", False)),
                        fields=("signal",),
                        name="sequence_signal_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("change__isnull", False)),
                        fields=("change",),
                        name="sequence_change_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("change__isnull", True), ("signal__isnull", False)),
                            models.Q(("change__isnull", False), ("signal__isnull", True)),
                            _connector="OR",
                        ),
                        name="sequence_one_row",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SequenceRun",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        help_text="The first index", primary_key=True, serialize=False
                    ),
                ),
                ("count", models.IntegerField(help_text="How many lines")),
                ("segment", models.IntegerField()),
                ("byte", models.BigIntegerField(help_text="Where the first line begins")),
                ("last", models.BigIntegerField(help_text="Where the last line begins")),
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
                "db_table": "sequence_runs",
                "indexes": [
                    models.Index(fields=["journal", "id"], name="sequence_runs_journal"),
                    models.Index(fields=["journal", "segment", "last"], name="sequence_runs_place"),
                ],
            },
        ),
    ]
