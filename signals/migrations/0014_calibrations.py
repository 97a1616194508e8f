# Stored calibrations, and the raw confidence beside the calibrated one of candidates and signals.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0013_trials"),
    ]

    operations = [
        migrations.CreateModel(
            name="CalibrationRecord",
            fields=[
                ("version", models.AutoField(primary_key=True, serialize=False)),
                ("strategy", models.TextField(help_text="The strategy whose confidences it maps")),
                ("map", models.JSONField()),
                ("fitted_at", models.DateTimeField()),
                (
                    "as_of",
                    models.DateTimeField(help_text="Only outcomes that were known then were used"),
                ),
                (
                    "embargo_days",
                    models.FloatField(help_text="Outcomes of the last days before were left out"),
                ),
                ("first_made_at", models.DateTimeField(help_text="When its first signal was made")),
                ("last_made_at", models.DateTimeField(help_text="When its last signal was made")),
                (
                    "known_until",
                    models.DateTimeField(help_text="When the last outcome that it used was known"),
                ),
                (
                    "traded",
                    models.IntegerField(help_text="Signals that count by their recorded outcome"),
                ),
                (
                    "untraded",
                    models.IntegerField(help_text="Signals that count by the bars that followed"),
                ),
                (
                    "open",
                    models.IntegerField(
                        help_text="Signals without an outcome then, which were left out"
                    ),
                ),
                ("origin", models.TextField(help_text="The origin of the signals")),
                (
                    "filters",
                    models.JSONField(default=dict, help_text="Which signals were selected"),
                ),
                ("code_version", models.TextField()),
                (
                    "data_sha256",
                    models.TextField(help_text="SHA-256 of the signals and outcomes that it used"),
                ),
                ("scores", models.JSONField()),
                (
                    "won",
                    models.BooleanField(
                        help_text="It was better on later signals than the raw confidence and than the base rate"
                    ),
                ),
            ],
            options={
                "verbose_name": "calibration",
                "db_table": "calibrations",
            },
        ),
        migrations.AddField(
            model_name="candidaterecord",
            name="calibration_version",
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name="candidaterecord",
            name="raw_confidence",
            field=models.FloatField(
                help_text="The confidence before its calibration, if it was calibrated", null=True
            ),
        ),
        migrations.AddField(
            model_name="signalcontext",
            name="calibration_version",
            field=models.IntegerField(
                help_text="The calibration that made the confidence of the raw one", null=True
            ),
        ),
        migrations.AddField(
            model_name="signalcontext",
            name="raw_confidence",
            field=models.FloatField(
                help_text="The confidence before its calibration, if it was calibrated", null=True
            ),
        ),
    ]
