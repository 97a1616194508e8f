# The scopes `trade` and `admin` of keys. A key that is there already keeps what it could do: its
# `can_trade` is empty, and so is that of a key that an older Argo on another machine still makes.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0010_signal_instants"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="can_trade",
            field=models.BooleanField(
                null=True,
                help_text="Empty: the key was made when `write` included it, and keeps that",
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="can_trade",
            field=models.BooleanField(
                null=True,
                default=False,
                help_text="Empty: the key was made when `write` included it, and keeps that",
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="can_admin",
            field=models.BooleanField(default=False, db_default=False),
        ),
    ]
