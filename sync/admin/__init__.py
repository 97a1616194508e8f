"""The admin site of sync: deliveries to Alpine, subscriptions and their events, notices."""

from sync.admin import deliveries, notices, webhooks

__all__ = ["deliveries", "notices", "webhooks"]
