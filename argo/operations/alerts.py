"""Alerts on the page of what runs: senders, and what could not be read."""

from argo.dashboard import senders
from argo.operations.section import Section

SECTION = Section("alerts", "Alerts", senders.read, wide=True)
