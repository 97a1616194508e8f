"""The spellings of instruments that signals have used."""

from typing import ClassVar

from django.db import models


class InstrumentSpelling(models.Model):
    """A spelling and asset type that signals have, and the instrument that Argo makes of them.

    `signals.ledger.spellings` makes these rows from `signals`, and can always make them again.
    """

    spelling = models.TextField(help_text="The symbol as signals have it")
    asset_type = models.TextField(help_text="The sender's word for its kind")
    instrument = models.TextField(help_text="The one name of its instrument in Argo")
    rules = models.TextField(help_text="By which rules it was read; other ones read it again")

    class Meta:
        db_table = "instrument_spellings"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["spelling", "asset_type"], name="instrument_spellings_once"
            )
        ]
        indexes: ClassVar = [
            # signals.ledger.spellings: the spellings of one instrument, and those to read again
            models.Index(fields=["instrument"], name="instrument_spellings_of"),
            models.Index(fields=["rules"], name="instrument_spellings_rules"),
        ]

    def __str__(self) -> str:
        return f"{self.spelling} ({self.asset_type}): {self.instrument}"
