# Messages to people.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0003_plain_help_texts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "target",
                    models.TextField(
                        help_text="The first characters of the SHA-256 of its address"
                    ),
                ),
                ("title", models.TextField()),
                ("body", models.TextField()),
                ("made_at", models.DateTimeField()),
                (
                    "due_at",
                    models.DateTimeField(
                        help_text="When the next try is due; while it is sent: when the sender's lease ends"
                    ),
                ),
                ("attempts", models.IntegerField(default=0)),
                ("claim", models.TextField(default="", help_text="The process that sends it")),
                ("sent_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "notices",
                "indexes": [
                    models.Index(
                        condition=models.Q(("sent_at", None)),
                        fields=["target", "due_at"],
                        name="notices_due",
                    ),
                    models.Index(fields=["target", "sent_at"], name="notices_sent"),
                ],
            },
        ),
    ]
