"""The instants of signals whose timestamp has a spelling that does not sort by time."""

from typing import ClassVar

from django.db import models

from signals.models.signal import Signal


class SignalInstant(models.Model):
    """The instant of an imported signal, beside its timestamp, which is kept as it is.

    Only signals have one whose text does not sort by time: without an offset, with another offset
    than UTC's, with a space for the T. The flush adds it with the signal's row.
    """

    signal = models.OneToOneField(
        Signal, models.PROTECT, primary_key=True, db_column="id", related_name="instant"
    )
    symbol = models.TextField()
    at = models.TextField(help_text="UTC, as Argo writes it; empty if the text is not a time")

    class Meta:
        db_table = "signal_instants"
        indexes: ClassVar = [
            # signals.ledger.queries.page: newest first, for all symbols or one
            models.Index(fields=["at", "signal"], name="signal_instants_time"),
            models.Index(fields=["symbol", "at", "signal"], name="signal_instants_symbol_time"),
        ]

    def __str__(self) -> str:
        return self.at
