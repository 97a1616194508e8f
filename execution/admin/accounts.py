"""Accounts, their equity of each day, and the halts that stop trading until a person lifts them."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from execution.accounts import halts
from execution.admin.common import OfAccount, Question, ask, each
from execution.models import AccountChange, EquityDay, Halt, TradingAccount
from execution.status import status
from execution.status_text import as_text
from execution.types import HaltCode
from signals.admin.changelist import KeysetAdmin
from signals.admin.choices import one_of
from signals.admin.columns import column, money, time
from signals.admin.common import ActedOn, ReadOnly, who
from signals.clock import utc_now

LIFT = Question(
    "Lift these halts?",
    "Trading goes on as soon as the account has no halt. A cause that is still there, such as a "
    "broken limit, halts it again at the monitor's next look.",
    "Lift the halts",
    "lift",
)
LIFT_ONE = Question("Lift this halt?", LIFT.text, "Lift the halt")
STOP = Question(
    "Halt trading?",
    "No new trade is made, and no waiting order is sent, until a person lifts the halt. Open "
    "positions stay open; they are followed and closed as usual.",
    "Halt trading",
)


class InForce(admin.SimpleListFilter):
    """Filter by whether the halt is in force or lifted."""

    title = "in force"
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [("yes", "in force"), ("no", "lifted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Halt]) -> QuerySet[Halt]:
        wanted = {"yes": True, "no": False}.get(str(self.value()))
        return queryset if wanted is None else queryset.filter(lifted_at__isnull=wanted)


@admin.register(Halt)
class HaltAdmin(ActedOn, KeysetAdmin[Halt]):
    list_display = (
        "latched", "account", "code", "lifted", "reason", "latched_by", "lifted_by", "lifted_why",
    )  # fmt: skip
    list_filter = (
        InForce,
        OfAccount,
        one_of("code", [(code.value, code.meaning) for code in HaltCode]),
    )
    actions = ("lift",)

    latched = column("latched", "latched_at", time)
    lifted = column("lifted", "lifted_at", time)

    def get_urls(self) -> list[URLPattern]:
        halting = self.admin_site.admin_view(self.halt_trading)
        lifting = self.admin_site.admin_view(self.lift_one)
        return [
            path("halt/", halting, name="execution_halt_trading"),
            path("<int:key>/lift/", lifting, name="execution_halt_lift"),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> Any:  # noqa: ANN401
        """Offer to lift a halt in its row to those who may."""
        may = self.has_change_permission(request)
        return (*self.list_display, "lifting") if may else self.list_display

    @admin.display(description="")
    def lifting(self, halt: Halt) -> SafeString | str:
        if halt.lifted_at is not None:
            return ""
        url = reverse("admin:execution_halt_lift", args=[halt.pk])
        return format_html('<a href="{}">Lift…</a>', url)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401
        standing = as_text(status(utc_now(), lately=False))
        context = {"standing": standing, "may_halt": self.has_change_permission(request)}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def halt_trading(self, request: HttpRequest) -> TemplateResponse | HttpResponseRedirect:
        """Ask for the reason, and latch a halt."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        why = ask(self, request, STOP)
        if isinstance(why, TemplateResponse):
            return why
        account = settings.TRADING_ACCOUNT
        halt = halts.latch(account, HaltCode.BY_HAND, why, utc_now(), by=who(request))
        messages.success(request, f"Trading on {account} is halted: {halt.reason}")
        return HttpResponseRedirect(reverse("admin:execution_halt_changelist"))

    def lift_one(self, request: HttpRequest, key: int) -> TemplateResponse | HttpResponseRedirect:
        """Ask for the reason, and lift the halt."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        halt = self.get_object(request, str(key))
        if halt is None:
            raise Http404("There is no such halt.")
        why = ask(self, request, LIFT_ONE, [halt])
        if isinstance(why, TemplateResponse):
            return why
        each(request, [halt], lambda row: _lift(row, who(request), why))
        return HttpResponseRedirect(reverse("admin:execution_halt_changelist"))

    @admin.action(description="Lift…", permissions=["change"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Halt]) -> TemplateResponse | None:
        why = ask(self, request, LIFT, chosen)
        if isinstance(why, TemplateResponse):
            return why
        each(request, chosen, lambda halt: _lift(halt, who(request), why))
        return None


def _lift(halt: Halt, by: str, why: str) -> str:
    halts.lift(halt.account, by=by, why=why, now=utc_now(), only=halt)
    return f"Lifted: {halt.reason}"


@admin.register(TradingAccount)
class TradingAccountAdmin(ReadOnly, admin.ModelAdmin[TradingAccount]):
    list_display = ("name", "start", "base", "peak", "opened", "reconciled", "broker_id")

    start = column("starting balance", "start_balance", money)
    peak = column("highest equity", "peak_equity", money)
    opened = column("opened", "opened_at", time)
    reconciled = column("reconciled", "reconciled_at", time)


@admin.register(AccountChange)
class AccountChangeAdmin(ReadOnly, KeysetAdmin[AccountChange]):
    list_display = ("made", "account", "kind", "change", "shift", "why", "by", "happened")
    list_filter = (OfAccount, one_of("kind", AccountChange.Kind.choices))

    change = column("amount", "amount", money)
    shift = column("base moved by", "moved", money)
    made = column("stored", "made_at", time)
    happened = column("happened", "at", time)


@admin.register(EquityDay)
class EquityDayAdmin(ReadOnly, KeysetAdmin[EquityDay]):
    list_display = ("day", "account", "first", "highest", "lowest", "last", "balance", "trades")
    list_filter = (OfAccount,)

    first = column("first equity", "first_equity", money)
    highest = column("highest", "highest_equity", money)
    lowest = column("lowest", "lowest_equity", money)
    last = column("last equity", "last_equity", money)
    balance = column("last balance", "last_balance", money)
