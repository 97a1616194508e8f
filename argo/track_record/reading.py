"""Verifies a bundle, and makes track records from nothing else."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argo.errors import FieldError, InvalidInput
from argo.track_record.making import track_record
from signals.record.verifier.brackets import DELAY
from signals.record.verifier.cli import WrongUsage, asked_for, verify

Section = dict[str, Any]


@dataclass(frozen=True)
class VerifiedBundle:
    """What the verifier found in a bundle, as `Report.as_json` has it, and the bundle's SHA-256."""

    found: Section
    sha256: str

    @property
    def strategies(self) -> list[str]:
        """Return the names of the strategies that have signals in it, sorted."""
        return sorted(self.found.get("strategies", {}))

    def record(self, strategy: str) -> Section:
        """Return the track record of a strategy, as JSON has it."""
        return track_record(self.found, strategy) | {"bundle_sha256": self.sha256}

    def records(self, strategy: str | None = None) -> list[Section]:
        """Return the track record of one strategy, or of each.

        Raises InvalidInput if the bundle has no signal of the strategy.
        """
        if strategy is None:
            return list(map(self.record, self.strategies))
        if strategy not in self.strategies:
            there = ", ".join(self.strategies) or "none"
            text = f"has no signal in this bundle; strategies that have: {there}"
            raise InvalidInput([FieldError("strategy", text)])
        return [self.record(strategy)]


def verified_bundle(bundle: Path, policy: Path) -> VerifiedBundle:
    """Verify a bundle by a policy. Raises InvalidInput if a file cannot be read."""
    try:
        found = verify(str(bundle), asked_for(str(policy), None, DELAY)).as_json()
        return VerifiedBundle(found, hashlib.sha256(bundle.read_bytes()).hexdigest())
    except WrongUsage as error:
        raise InvalidInput([FieldError("bundle", str(error))]) from None
    except OSError as error:
        text = f"cannot be read ({error.strerror}): name one file, a bundle"
        raise InvalidInput([FieldError("bundle", text)]) from None
