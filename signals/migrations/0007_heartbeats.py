# What health and notifications need: signs of life, free space, and the problems that were told.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0006_signal_sums"),
    ]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("node", models.TextField(help_text="The identity of its machine's journal")),
                ("host", models.TextField()),
                ("role", models.TextField(help_text="`worker` or `beat`")),
                ("pid", models.IntegerField()),
                (
                    "queues",
                    models.TextField(help_text="The queues that it serves, separated by spaces"),
                ),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                (
                    "old_price_of",
                    models.TextField(
                        default="",
                        help_text="The symbol with the oldest price in use that is too old, if any",
                    ),
                ),
                ("old_price_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "heartbeats",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("node", "host", "role", "pid"), name="heartbeats_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DiskSample",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("node", models.TextField(help_text="The identity of its machine's journal")),
                ("at", models.DateTimeField(help_text="By the database's clock")),
                ("free_bytes", models.BigIntegerField()),
            ],
            options={
                "db_table": "disk_samples",
                "indexes": [
                    models.Index(fields=["node", "at"], name="disk_samples_latest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpenProblem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "node",
                    models.TextField(
                        help_text="The identity of the machine that has it; empty if all machines share it"
                    ),
                ),
                ("code", models.TextField()),
                (
                    "about",
                    models.TextField(help_text="Tells it apart from others with the same code"),
                ),
                ("sentence", models.TextField()),
                ("began_at", models.DateTimeField()),
            ],
            options={
                "db_table": "open_problems",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("node", "code", "about"), name="open_problems_once"
                    ),
                ],
            },
        ),
    ]
