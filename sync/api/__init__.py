"""The HTTP API of deliveries to Alpine, and of subscriptions to events."""
