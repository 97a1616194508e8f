"""Say the help texts of deliveries and the breaker in plain English; the tables stay the same."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0002_known_values"),
    ]

    operations = [
        migrations.AlterField(
            model_name="breaker",
            name="probe_at",
            field=models.DateTimeField(
                help_text="When the next probe is due; null if closed", null=True
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="claim",
            field=models.TextField(db_default=models.Value(""), help_text="The worker that has it"),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="due_at",
            field=models.DateTimeField(
                help_text="When the next try is due; while it is sent: when the worker's lease ends"
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="last_answer",
            field=models.TextField(
                db_default=models.Value(""), help_text="Alpine's last answer, or the error"
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="payload",
            field=models.TextField(
                db_default=models.Value(""), help_text="The body that was sent, if dead"
            ),
        ),
    ]
