# The log of what people and keys have changed.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0014_calibrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="Act",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("kind", models.TextField(help_text="One of signals.acts.Kind")),
                ("who", models.TextField(help_text="admin:USER, api:KEY, or who a command names")),
                ("about", models.TextField(help_text="What was changed")),
                (
                    "signal_id",
                    models.TextField(help_text="The signal that it is about; empty if it is none"),
                ),
                ("before", models.TextField()),
                ("after", models.TextField()),
                ("why", models.TextField()),
            ],
            options={
                "db_table": "acts",
                "indexes": [models.Index(fields=["at", "id"], name="acts_time")],
            },
        ),
    ]
