# Texts only: no table changes.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0003_known_values"),
    ]

    operations = [
        migrations.AlterField(
            model_name="candidaterecord",
            name="bar_time",
            field=models.TextField(
                help_text="When the last bar that the sources saw closed, in UTC"
            ),
        ),
        migrations.AlterField(
            model_name="candidaterecord",
            name="rejected_for",
            field=models.TextField(help_text="The codes of the reasons; empty if it passed"),
        ),
        migrations.AlterField(
            model_name="candidaterecord",
            name="signal_id",
            field=models.TextField(help_text="The id of the signal that it became", null=True),
        ),
        migrations.AlterField(
            model_name="deadletter",
            name="digest",
            field=models.TextField(help_text="SHA-256 of the payload, which tells lines apart"),
        ),
        migrations.AlterField(
            model_name="deadletter",
            name="kind",
            field=models.TextField(
                choices=[
                    ("line", "a journal line that is not a signal"),
                    ("conflict", "the same signal id with another hash"),
                    ("refused", "a signal that the database refused"),
                    ("change", "an outcome that does not fit the signal"),
                    ("journal", "a journal file that was lost or replaced"),
                ]
            ),
        ),
        migrations.AlterField(
            model_name="signalcontext",
            name="byte",
            field=models.BigIntegerField(help_text="The byte in the segment where its line begins"),
        ),
        migrations.AlterField(
            model_name="signalcontext",
            name="extra",
            field=models.JSONField(help_text="Fields that have no column", null=True),
        ),
        migrations.AlterField(
            model_name="signalcontext",
            name="segment",
            field=models.IntegerField(help_text="The journal segment that contains its line"),
        ),
    ]
