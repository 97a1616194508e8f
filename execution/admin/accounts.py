"""Accounts, their equity day by day, and what halts trading on them; a person lifts it."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from execution.accounts import halts
from execution.admin.common import OfAccount, Question, Watched, ask, each, money, time, who
from execution.models import EquityDay, Halt, TradingAccount
from execution.status import as_text, status
from signals.admin.common import ReadOnly
from signals.clock import utc_now

LIFT = Question(
    "Lift these halts?",
    "New trades are made again as soon as nothing halts the account. What still stands, such as a "
    "breached limit, halts it again at the monitor's next look.",
    "Lift the halts",
    "lift",
)
STOP = Question(
    "Halt trading?",
    "No new trade is made, and no order that was not sent yet is sent, until a person lifts the "
    "halt. What is open stays open, and is followed and closed as ever.",
    "Halt trading",
)


class Stands(admin.SimpleListFilter):
    """Whether somebody lifted it."""

    title = "whether it stands"
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [("yes", "stands"), ("no", "lifted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Halt]) -> QuerySet[Halt]:
        wanted = {"yes": True, "no": False}.get(str(self.value()))
        return queryset if wanted is None else queryset.filter(lifted_at__isnull=wanted)


@admin.register(Halt)
class HaltAdmin(Watched, admin.ModelAdmin[Halt]):
    list_display = (
        "latched", "account", "code", "lifted", "reason", "latched_by", "lifted_by", "lifted_why",
    )  # fmt: skip
    list_filter = (Stands, OfAccount, "code")
    ordering = ("-pk",)
    actions = ("lift",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.halt_trading)
        return [path("halt/", view, name="execution_halt_trading"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401
        standing, may_halt = as_text(status(utc_now())), self.has_change_permission(request)
        context = {"standing": standing, "may_halt": may_halt}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def halt_trading(self, request: HttpRequest) -> TemplateResponse | HttpResponseRedirect:
        """Asks for the reason, and latches a halt."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        why = ask(self, request, STOP)
        if isinstance(why, TemplateResponse):
            return why
        account = settings.TRADING_ACCOUNT
        halt = halts.latch(account, halts.BY_HAND, why, utc_now(), by=who(request))
        messages.success(request, f"Trading on {account} is halted: {halt.reason}")
        return HttpResponseRedirect(reverse("admin:execution_halt_changelist"))

    @admin.action(description="Lift…", permissions=["change"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Halt]) -> TemplateResponse | None:
        why = ask(self, request, LIFT, chosen)
        if isinstance(why, TemplateResponse):
            return why
        each(request, chosen, lambda halt: _lift(halt, who(request), why))
        return None

    @admin.display(description="latched", ordering="latched_at")
    def latched(self, halt: Halt) -> str:
        return time(halt.latched_at)

    @admin.display(description="lifted", ordering="lifted_at")
    def lifted(self, halt: Halt) -> str:
        return time(halt.lifted_at)


def _lift(halt: Halt, by: str, why: str) -> str:
    halts.lift(halt.account, by=by, why=why, now=utc_now(), only=halt)
    return f"Lifted: {halt.reason}"


@admin.register(TradingAccount)
class TradingAccountAdmin(ReadOnly, admin.ModelAdmin[TradingAccount]):
    list_display = ("name", "start", "peak", "opened_at", "reconciled_at")

    @admin.display(description="equity at the start")
    def start(self, account: TradingAccount) -> str:
        return money(account.start_equity)

    @admin.display(description="highest equity")
    def peak(self, account: TradingAccount) -> str:
        return money(account.peak_equity)


@admin.register(EquityDay)
class EquityDayAdmin(ReadOnly, admin.ModelAdmin[EquityDay]):
    list_display = ("day", "account", "first", "highest", "lowest", "last", "balance", "trades")
    list_filter = (OfAccount,)
    date_hierarchy = "day"
    ordering = ("-day", "account")

    @admin.display(description="first equity")
    def first(self, day: EquityDay) -> str:
        return money(day.first_equity)

    @admin.display(description="highest")
    def highest(self, day: EquityDay) -> str:
        return money(day.highest_equity)

    @admin.display(description="lowest")
    def lowest(self, day: EquityDay) -> str:
        return money(day.lowest_equity)

    @admin.display(description="last equity")
    def last(self, day: EquityDay) -> str:
        return money(day.last_equity)

    @admin.display(description="last balance")
    def balance(self, day: EquityDay) -> str:
        return money(day.last_balance)
