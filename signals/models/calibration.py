"""The stored versions of the calibration of confidences."""

from typing import Any, ClassVar, NoReturn

from django.db import models

from signals.rows import Immutable

NEVER_CHANGES = "A calibration never changes. Fit the next version with the command calibrate."


class CalibrationQuerySet(models.QuerySet["CalibrationRecord"]):
    """Reads and adds versions; raises Immutable for every call that would change one."""

    def update(self, **kwargs: Any) -> NoReturn:  # noqa: ANN401
        raise Immutable(NEVER_CHANGES)

    def delete(self) -> NoReturn:
        raise Immutable(NEVER_CHANGES)


class CalibrationRecord(models.Model):
    """A map from raw to calibrated confidences, what it was fitted on, and how it was judged.

    `map` is what `signals.calibration.maps.from_json` reads. `scores` are those on later signals
    (`signals.analysis.calibration.judging.Verdict`): the calibrated confidence beside the raw one
    and the base rate.
    """

    version = models.AutoField(primary_key=True)
    strategy = models.TextField(help_text="The strategy whose confidences it maps")
    map = models.JSONField()
    fitted_at = models.DateTimeField()
    as_of = models.DateTimeField(help_text="Only outcomes that were known then were used")
    embargo_days = models.FloatField(help_text="Outcomes of the last days before were left out")
    first_made_at = models.DateTimeField(help_text="When its first signal was made")
    last_made_at = models.DateTimeField(help_text="When its last signal was made")
    known_until = models.DateTimeField(help_text="When the last outcome that it used was known")
    traded = models.IntegerField(help_text="Signals that count by their recorded outcome")
    untraded = models.IntegerField(help_text="Signals that count by the bars that followed")
    open = models.IntegerField(help_text="Signals without an outcome then, which were left out")
    origin = models.TextField(help_text="The origin of the signals")
    filters = models.JSONField(default=dict, help_text="Which signals were selected")
    code_version = models.TextField()
    data_sha256 = models.TextField(help_text="SHA-256 of the signals and outcomes that it used")
    scores = models.JSONField()
    won = models.BooleanField(
        help_text="It was better on later signals than the raw confidence and than the base rate"
    )

    may_change: ClassVar = frozenset[str]()
    objects = CalibrationQuerySet.as_manager()

    class Meta:
        db_table = "calibrations"
        verbose_name = "calibration"

    def __str__(self) -> str:
        return f"calibration {self.version} of {self.strategy}"

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        if not self._state.adding:
            raise Immutable(NEVER_CHANGES)
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise Immutable(NEVER_CHANGES)

    @property
    def n(self) -> int:
        """Return how many signals it was fitted on."""
        return self.traded + self.untraded
