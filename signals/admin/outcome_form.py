"""The form of one outcome: it saves nothing if the outcome was changed since it was shown."""

from typing import Any, cast

from django import forms
from django.forms import ModelForm
from django.http import QueryDict

from argo.errors import InvalidInput
from signals.admin.outcomes import result_text
from signals.ledger.outcome_history import RecordedOutcome, read_outcome, recorded
from signals.ledger.outcomes import OUTCOMES, check, locked_signal
from signals.ledger.validation import LONGEST_WHY
from signals.models import Signal


class OutcomeForm(ModelForm[Signal]):
    """Takes outcome, exit price and the reason; profit or loss is computed from them.

    The hidden ETag says which outcome the form showed. Validate it inside the transaction that
    saves: the signal is locked from then on.
    """

    outcome = forms.ChoiceField(
        choices=[("", "open"), *((name, name) for name in OUTCOMES)], required=False
    )
    exit_price = forms.FloatField(required=False)
    why = forms.CharField(
        max_length=LONGEST_WHY,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept with your name and the time in the signal's outcome changes.",
    )
    etag = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Signal
        fields = ("outcome", "exit_price")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        if self.instance.pk:  # the admin site makes one without a signal, to read its fields
            self.initial["etag"] = recorded(self.instance, self.instance.changes.all()).etag

    @property
    def edit(self) -> dict[str, Any]:
        """Return the fields of the outcome's edit, after `is_valid`."""
        return {name: self.cleaned_data[name] for name in ("outcome", "exit_price", "why")}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["outcome"] = cleaned.get("outcome") or None
        self._compare(read_locked(self.instance.signal_id), cleaned.get("etag", ""))
        self._check(cleaned)
        return cleaned

    def _compare(self, now: RecordedOutcome, seen: str) -> None:
        """Refuse to overwrite what this form has not shown; the next one has shown it."""
        if now.etag == seen:
            return
        self.data = cast("QueryDict", self.data).copy()
        self.data[self.add_prefix("etag")] = now.etag
        text = result_text(now.outcome, now.exit_price, now.profit_loss_pct)
        self.add_error(
            None,
            f"The outcome was changed after this page was opened: it is {text} now. Nothing was "
            "saved. Look at the outcome changes below. If you save again, your values replace it.",
        )

    def _check(self, cleaned: dict[str, Any]) -> None:
        try:
            check(
                self.instance, cleaned["outcome"], cleaned.get("exit_price"), cleaned.get("why", "")
            )
        except InvalidInput as error:
            for fault in error.errors:
                if fault.field not in self.errors:
                    self.add_error(fault.field, fault.message)


def read_locked(signal_id: str) -> RecordedOutcome:
    """Return the outcome, which nobody else can change until the caller's transaction ends."""
    locked_signal(signal_id, "default")
    return read_outcome(signal_id)
