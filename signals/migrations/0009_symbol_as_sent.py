"""The sender's spelling of a symbol, where it is not in capitals."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0008_instrument_spellings"),
    ]

    operations = [
        migrations.AddField(
            model_name="signalcontext",
            name="symbol_as_sent",
            field=models.TextField(
                help_text="The symbol as the sender spelled it, if that was not in capitals",
                null=True,
            ),
        ),
    ]
