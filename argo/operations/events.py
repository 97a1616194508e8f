"""The section of events on the page of what runs: each subscription, and what waits for it."""

from argo.dashboard import subscriptions
from argo.operations.section import Section

EVENTS = Section("events", "Events to subscriptions", subscriptions.read, wide=True)
