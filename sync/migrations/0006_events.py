# Subscriptions and their events; notices become deliveries like the others.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0005_dead_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField(unique=True)),
                ("url", models.TextField()),
                ("types", models.JSONField(help_text="The types of events that it wants")),
                (
                    "state",
                    models.TextField(
                        choices=[("active", "active"), ("revoked", "revoked"), ("ended", "ended")],
                        default="active",
                    ),
                ),
                ("reason", models.TextField(default="", help_text="Why it is not active")),
                ("secret", models.TextField(help_text="Signs what is sent; never shown again")),
                (
                    "old_secret",
                    models.TextField(
                        default="", help_text="The one before, which signs for a day too"
                    ),
                ),
                ("old_secret_until", models.DateTimeField(null=True)),
                ("made_by", models.TextField()),
                ("made_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField(help_text="When its state last changed")),
            ],
            options={
                "db_table": "subscriptions",
            },
        ),
        migrations.CreateModel(
            name="EventDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("pending", "pending"),
                            ("sending", "sending"),
                            ("delivered", "delivered"),
                            ("dead", "dead"),
                        ],
                        db_default=models.Value("pending"),
                    ),
                ),
                ("attempts", models.IntegerField(db_default=models.Value(0))),
                (
                    "due_at",
                    models.DateTimeField(
                        help_text="When the next try is due; while it is sent: when the worker's lease ends"
                    ),
                ),
                ("queued_at", models.DateTimeField()),
                (
                    "claim",
                    models.TextField(
                        db_default=models.Value(""), help_text="The worker that has it"
                    ),
                ),
                ("attempted_at", models.DateTimeField(null=True)),
                ("last_status", models.IntegerField(help_text="The last HTTP status", null=True)),
                (
                    "last_answer",
                    models.TextField(
                        db_default=models.Value(""), help_text="The last answer, or the error"
                    ),
                ),
                ("delivered_at", models.DateTimeField(null=True)),
                (
                    "subscription",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="sync.subscription",
                    ),
                ),
                (
                    "event_id",
                    models.TextField(help_text="The header webhook-id, the same in every try"),
                ),
                ("type", models.TextField()),
                ("body", models.TextField(help_text="What is sent: type, timestamp and data")),
            ],
            options={
                "verbose_name_plural": "event deliveries",
                "db_table": "event_deliveries",
            },
        ),
        migrations.RemoveIndex(
            model_name="notice",
            name="notices_due",
        ),
        migrations.RemoveIndex(
            model_name="notice",
            name="notices_sent",
        ),
        migrations.RenameField(
            model_name="notice",
            old_name="sent_at",
            new_name="delivered_at",
        ),
        migrations.RenameField(
            model_name="notice",
            old_name="made_at",
            new_name="queued_at",
        ),
        migrations.AddField(
            model_name="breaker",
            name="target",
            field=models.TextField(
                default="alpine",
                help_text="alpine, or webhook: and a subscription's number",
                unique=True,
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="about",
            field=models.TextField(
                default="", help_text="What it tells: a problem's code, or an event"
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="attempted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="notice",
            name="is_urgent",
            field=models.BooleanField(default=False, help_text="It is sent in quiet hours too"),
        ),
        migrations.AddField(
            model_name="notice",
            name="last_answer",
            field=models.TextField(
                db_default=models.Value(""), help_text="The last answer, or the error"
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="last_status",
            field=models.IntegerField(help_text="The last HTTP status", null=True),
        ),
        migrations.AddField(
            model_name="notice",
            name="status",
            field=models.TextField(
                choices=[
                    ("pending", "pending"),
                    ("sending", "sending"),
                    ("delivered", "delivered"),
                    ("dead", "dead"),
                ],
                db_default=models.Value("pending"),
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="last_answer",
            field=models.TextField(
                db_default=models.Value(""), help_text="The last answer, or the error"
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="last_status",
            field=models.IntegerField(help_text="The last HTTP status", null=True),
        ),
        migrations.AlterField(
            model_name="notice",
            name="attempts",
            field=models.IntegerField(db_default=models.Value(0)),
        ),
        migrations.AlterField(
            model_name="notice",
            name="claim",
            field=models.TextField(db_default=models.Value(""), help_text="The worker that has it"),
        ),
        migrations.AlterField(
            model_name="notice",
            name="due_at",
            field=models.DateTimeField(
                help_text="When the next try is due; while it is sent: when the worker's lease ends"
            ),
        ),
        migrations.RunSQL(
            """
            UPDATE notices SET status = CASE WHEN delivered_at IS NOT NULL THEN 'delivered'
                WHEN claim <> '' THEN 'sending' ELSE 'pending' END
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("status__in", ["pending", "sending"])),
                fields=["target", "due_at"],
                name="notices_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["target", "delivered_at"], name="notices_delivered"),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "sending", "delivered", "dead"])),
                name="notices_known_values",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["active", "revoked", "ended"])),
                name="subscriptions_known_values",
            ),
        ),
        migrations.AddIndex(
            model_name="eventdelivery",
            index=models.Index(
                condition=models.Q(("status__in", ["pending", "sending"])),
                fields=["subscription", "due_at", "id"],
                name="event_deliveries_due",
            ),
        ),
        migrations.AddIndex(
            model_name="eventdelivery",
            index=models.Index(
                condition=models.Q(("status", "dead")),
                fields=["subscription", "id"],
                name="event_deliveries_dead",
            ),
        ),
        migrations.AddIndex(
            model_name="eventdelivery",
            index=models.Index(fields=["queued_at"], name="event_deliveries_queued"),
        ),
        migrations.AddConstraint(
            model_name="eventdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "sending", "delivered", "dead"])),
                name="event_deliveries_known_values",
            ),
        ),
    ]
