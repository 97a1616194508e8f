"""Is all well? The problems that exist now, each with what to do; and if Argo trades."""

from django.conf import settings
from django.urls import reverse

from argo.dashboard.panel import Content, Moment
from argo.health import registry
from argo.health.report import as_dict
from execution.accounts import halts

PENDING = ("Waiting deliveries", "admin:sync_delivery_changelist", "?status__exact=pending")
DEAD = ("running", "#dead-title")
PLACES = {
    "ledger.dead_letters": ("Dead letters", *DEAD),
    "sync.dead": ("Dead deliveries", *DEAD),
    "sync.backlog": PENDING,
    "sync.paused": PENDING,
    "execution.halted": ("Halts", "admin:execution_halt_changelist", "?stands=yes"),
    "execution.unprotected": (
        "Open positions", "admin:execution_position_changelist", "?status__exact=open",
    ),
    "execution.unknown_orders": ("Orders", "admin:execution_order_changelist", ""),
    "alerts.unread": ("Unread alerts", "admin:signals_alert_changelist", "?status__exact=unread"),
    "alerts.waiting": (
        "Waiting alerts", "admin:signals_alert_changelist", "?status__exact=waiting",
    ),
    "alerts.late_sender": ("Senders", "admin:signals_sender_changelist", ""),
    "node.gone": ("Machines", "admin:signals_node_changelist", ""),
    "node.behind": ("Machines", "admin:signals_node_changelist", ""),
}  # fmt: skip
"""Where a person acts on a kind of problem: a name, the name of the page's URL, and the part of it
that matters."""


def read(moment: Moment) -> Content:
    """Return the problems and the halts of the account that Argo trades on."""
    return {
        "problems": [
            as_dict(problem) | _place(problem.kind.code)
            for problem in registry.problems(moment.now)
        ],
        "halts": halts.active(settings.TRADING_ACCOUNT),
        "account": settings.TRADING_ACCOUNT,
        "trades": settings.AUTO_EXECUTE,
        "sends": bool(settings.ALPINE_API_KEY),
        "makes": settings.MARKET_IS_LIVE,
    }


def _place(code: str) -> dict[str, str]:
    """Return the name and the address of where a person acts on such a problem."""
    if code not in PLACES:
        return {}
    name, page, part = PLACES[code]
    return {"place": name, "place_url": reverse(page) + part}
