"""Events out: subscriptions, what is queued for them, and how it is signed and sent."""
