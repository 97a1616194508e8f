# The nodes: the data folders that store in this database, with what each reports.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0011_key_scopes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Node",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "identity",
                    models.TextField(help_text="The identity of its journal", unique=True),
                ),
                ("host", models.TextField(blank=True, default="")),
                (
                    "folder",
                    models.TextField(
                        blank=True, default="", help_text="The data folder on that host"
                    ),
                ),
                (
                    "place",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Tells the folder from its copies; empty if it is stopped",
                    ),
                ),
                (
                    "seen_at",
                    models.DateTimeField(blank=True, help_text="The last heartbeat", null=True),
                ),
                (
                    "undrained",
                    models.BigIntegerField(
                        default=0,
                        help_text="Lines of its journal that were not in the database then",
                    ),
                ),
                (
                    "oldest_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When the first of these lines was received",
                        null=True,
                    ),
                ),
                (
                    "is_drained",
                    models.BooleanField(
                        default=False,
                        help_text="It was stopped, or adopted, with every line in the database",
                    ),
                ),
                ("adopted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "rival",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Another living folder with the same identity",
                    ),
                ),
                ("rival_seen_at", models.DateTimeField(blank=True, null=True)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                ("retired_why", models.TextField(blank=True, default="")),
                (
                    "given_up",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Undrained lines, as last reported, that were given up",
                        null=True,
                    ),
                ),
            ],
            options={
                "db_table": "nodes",
            },
        ),
    ]
