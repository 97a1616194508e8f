# The trials: what was replayed or backtested, each once, with its daily Sharpe ratio.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0012_nodes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Trial",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.TextField(choices=[("replay", "replay"), ("backtest", "backtest")]),
                ),
                ("parameters", models.JSONField()),
                ("parameters_sha256", models.TextField()),
                (
                    "data_sha256",
                    models.TextField(help_text="Of the bars, and of the signals of a backtest"),
                ),
                ("symbols", models.JSONField(help_text="The instruments whose bars were used")),
                (
                    "first_bar",
                    models.DateTimeField(
                        help_text="The first moment of the data that was traded on"
                    ),
                ),
                ("last_bar", models.DateTimeField(help_text="The last one")),
                ("version", models.TextField(help_text="The version of Argo")),
                ("tried_at", models.DateTimeField(help_text="By the wall clock, the first time")),
                ("trades", models.BigIntegerField(help_text="Trades that have ended")),
                (
                    "sharpe",
                    models.FloatField(
                        help_text="The daily Sharpe ratio of the trades' results, not annualised",
                        null=True,
                    ),
                ),
            ],
            options={
                "db_table": "trials",
                "indexes": [models.Index(fields=["last_bar"], name="trials_last_bar")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["replay", "backtest"])),
                        name="trials_known_values",
                    ),
                    models.UniqueConstraint(
                        fields=("kind", "parameters_sha256", "data_sha256"), name="trials_once"
                    ),
                ],
            },
        ),
    ]
