"""The fixtures of logins."""

from tests.argo.logins.people import ann, clock

__all__ = ["ann", "clock"]
