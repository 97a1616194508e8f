# The spellings of instruments. Those of stored signals are read by the rules of the running version.

from django.db import migrations, models

FILL = """
INSERT INTO instrument_spellings (spelling, asset_type, instrument, rules)
SELECT DISTINCT symbol, asset_type, '', '' FROM signals
"""


class Migration(migrations.Migration):
    dependencies = [
        ("signals", "0007_heartbeats"),
    ]

    operations = [
        migrations.CreateModel(
            name="InstrumentSpelling",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("spelling", models.TextField(help_text="The symbol as signals have it")),
                ("asset_type", models.TextField(help_text="The sender's word for its kind")),
                (
                    "instrument",
                    models.TextField(help_text="The one name of its instrument in Argo"),
                ),
                (
                    "rules",
                    models.TextField(
                        help_text="By which rules it was read; other ones read it again"
                    ),
                ),
            ],
            options={
                "db_table": "instrument_spellings",
                "indexes": [
                    models.Index(fields=["instrument"], name="instrument_spellings_of"),
                    models.Index(fields=["rules"], name="instrument_spellings_rules"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("spelling", "asset_type"), name="instrument_spellings_once"
                    ),
                ],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
