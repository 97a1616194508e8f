# Problems that are over, and the main figures over time.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("argo", "0002_second_factors"),
    ]

    operations = [
        migrations.CreateModel(
            name="MetricSample",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(help_text="When its time began", unique=True)),
                ("minutes", models.IntegerField(help_text="How many of its minutes were measured")),
                (
                    "is_hour",
                    models.BooleanField(default=False, help_text="Made of those of an hour"),
                ),
                ("signals", models.FloatField(help_text="Live signals")),
                (
                    "p95",
                    models.FloatField(
                        help_text="Milliseconds until 95% of them were stored; an hour has its largest",
                        null=True,
                    ),
                ),
                ("delivered", models.IntegerField()),
                ("dead", models.IntegerField(help_text="Deliveries that were given up")),
                (
                    "waiting",
                    models.IntegerField(
                        help_text="Deliveries not sent at its end; an hour's largest"
                    ),
                ),
                ("executed", models.IntegerField()),
                ("skipped", models.IntegerField()),
            ],
            options={
                "db_table": "metric_samples",
            },
        ),
        migrations.CreateModel(
            name="PastProblem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "node",
                    models.TextField(help_text="The machine that had it; empty if all shared it"),
                ),
                ("code", models.TextField()),
                ("sentence", models.TextField()),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
            ],
            options={
                "db_table": "past_problems",
                "indexes": [models.Index(fields=["ended_at"], name="past_problems_end")],
            },
        ),
    ]
