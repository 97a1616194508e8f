"""The admin page of trials."""

from django.contrib import admin

from signals.admin import markup
from signals.admin.changelist import KeysetAdmin
from signals.admin.choices import one_of
from signals.admin.columns import column
from signals.admin.common import ReadOnly
from signals.models import Trial


@admin.register(Trial)
class TrialAdmin(ReadOnly, KeysetAdmin[Trial]):
    """Lists what was tried; the reports' deflated Sharpe ratios count it."""

    list_display = ("tried", "kind", "covered", "first_bar", "last_bar", "trades", "ratio")
    list_filter = (one_of("kind", Trial.Kind.choices, parameter="kind__exact"),)

    tried = column("tried", "tried_at", markup.moment)

    @admin.display(description="Symbols")
    def covered(self, trial: Trial) -> str:
        return ", ".join(trial.symbols)

    @admin.display(description="Daily Sharpe ratio")
    def ratio(self, trial: Trial) -> str:
        return "too few trades" if trial.sharpe is None else f"{trial.sharpe:.4f}"
