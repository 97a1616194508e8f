from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0004_help_texts"),
    ]

    operations = [
        migrations.AddField(
            model_name="signalcontext",
            name="stored_at",
            field=models.TextField(
                help_text="When the row was inserted, by the wall clock; empty after a rebuild",
                null=True,
            ),
        ),
    ]
