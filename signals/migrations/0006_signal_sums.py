"""The sums that statistics are answered from. A task fills them after the migration."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0005_stored_at"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignalSum",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "dimension",
                    models.TextField(help_text="all, symbol, strategy, ..., or symbol,strategy"),
                ),
                (
                    "grain",
                    models.TextField(help_text="The length of the period: day, month or all"),
                ),
                (
                    "period",
                    models.TextField(help_text="2025-01-15, 2025-01, or empty for all time"),
                ),
                (
                    "value",
                    models.TextField(help_text="A value of the dimension; empty for all signals"),
                ),
                (
                    "other",
                    models.TextField(help_text="The second value, if the dimension is a pair"),
                ),
                ("outcome", models.TextField(help_text="open if there is none")),
                ("n", models.BigIntegerField(help_text="How many signals")),
                (
                    "measured",
                    models.BigIntegerField(help_text="How many of them have a profit or loss"),
                ),
                (
                    "profit_loss",
                    models.BigIntegerField(help_text="Its sum, in 1/100,000 percent"),
                ),
            ],
            options={
                "db_table": "signal_sums",
                "indexes": [
                    models.Index(
                        fields=["dimension", "grain", "value", "period"], name="signal_sums_value"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dimension", "grain", "period", "value", "other", "outcome"),
                        name="signal_sums_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SumCursor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "signal",
                    models.BigIntegerField(default=0, help_text="The last signal that is summed"),
                ),
                (
                    "change",
                    models.BigIntegerField(
                        default=0, help_text="The last outcome change that is summed"
                    ),
                ),
            ],
            options={
                "db_table": "signal_sum_cursors",
            },
        ),
    ]
