"""Verifies that nothing was altered, lost or inserted: compares database and journal, both ways."""

from signals.verification.findings import Finding, Kind, Verification
from signals.verification.verify import verify, verify_one

__all__ = ["Finding", "Kind", "Verification", "verify", "verify_one"]
