"""The admin site of sync: deliveries to Alpine, subscriptions and their events, notices, and
what the public record sends."""

from sync.admin import deliveries, notices, submissions, webhooks

__all__ = ["deliveries", "notices", "submissions", "webhooks"]
