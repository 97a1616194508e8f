"""The navigation: the pages by what people do, each under the name that they call it by."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django.urls import reverse

Listed = dict[str, Any]
"""A model or an app as Django's `AdminSite.get_app_list` describes it."""


class Page(NamedTuple):
    """A page of the navigation: its name, and the model whose list it is or its URL's name.

    `below` has the names of URLs of pages that belong to it. A `rare` one is in the last group.
    """

    title: str
    model: str = ""
    url_name: str = ""
    below: tuple[str, ...] = ()
    rare: bool = False


class Group(NamedTuple):
    """Pages that belong to one thing that people do."""

    title: str
    pages: tuple[Page, ...]


NAVIGATION = (
    Group("Signals", (
        Page("Signals", "signals.signal", below=("signal", "explain")),
        Page("Candidates", "signals.candidaterecord"),
        Page("Outcome changes", "signals.outcomechange"),
        Page("Alerts", "signals.alert"),
        Page("Senders", "signals.sender"),
        Page("Spellings", "signals.instrumentspelling", rare=True),
        Page("Files of alerts", "signals.alertcursor", rare=True),
    )),
    Group("Trades", (
        Page("Positions", "execution.position"),
        Page("Decisions", "execution.decision"),
        Page("Orders", "execution.order"),
        Page("Fills", "execution.fill"),
        Page("Corporate actions", "execution.corporateaction", rare=True),
        Page("Adjusted positions", "execution.positionchange", rare=True),
        Page("Compared prices", "execution.seenprices", rare=True),
    )),
    Group("Accounts", (
        Page("Accounts", "execution.tradingaccount"),
        Page("Limits", url_name="limits"),
        Page("Halts", "execution.halt"),
        Page("Equity by day", "execution.equityday"),
        Page("Deposits and bases", "execution.accountchange", rare=True),
    )),
    Group("Delivery", (
        Page("Deliveries to Alpine", "sync.delivery"),
        Page("Subscriptions", "sync.subscription"),
        Page("Events", "sync.eventdelivery"),
        Page("Dead letters", "signals.deadletter"),
        Page("Messages to people", "sync.notice", rare=True),
        Page("Witnesses and time stamps", "sync.recordsubmission", rare=True),
        Page("Circuit breakers", "sync.breaker", rare=True),
    )),
    Group("Analysis", (
        Page("Report", url_name="report"),
        Page("Compare", url_name="report-compare"),
        Page("Daily reports", url_name="report-daily"),
        Page("Public record", url_name="track-records"),
        Page("Trials of backtests", "signals.trial", rare=True),
        Page("Calibrations", "signals.calibrationrecord", rare=True),
        Page("Outcomes without a trade", "execution.counterfactual"),
    )),
    Group("System", (
        Page("What runs", url_name="running"),
        Page("Problems", url_name="problems"),
        Page("Figures over time", url_name="history"),
        Page("Who did what", url_name="acts"),
        Page("Machines", "signals.node"),
        Page("Schedules", "django_celery_beat.periodictask"),
        Page("Intervals", "django_celery_beat.intervalschedule", rare=True),
        Page("Crontabs", "django_celery_beat.crontabschedule", rare=True),
        Page("Single times", "django_celery_beat.clockedschedule", rare=True),
        Page("Solar events", "django_celery_beat.solarschedule", rare=True),
        Page("Journal cursors", "signals.journalcursor", rare=True),
        Page("API keys", "signals.apikey"),
        Page("Users", "auth.user"),
        Page("Groups", "auth.group"),
    )),
)  # fmt: skip
RARE = "More pages"
"""The group of pages that few people need, and of models that the navigation does not name."""


def grouped(apps: Iterable[Listed], urls: Mapping[str, str]) -> list[Listed]:
    """Return the models that a user may see, in the groups of the navigation.

    `urls` has the address of each page that is no list of a model, as far as the user may see it.
    The result has the form of `get_app_list`.
    """
    models = {_label(app, model): model for app in apps for model in app["models"]}
    groups = [_listed(group.title, _pages(group, models, urls)) for group in NAVIGATION]
    rare = [page for group in NAVIGATION for page in _pages(group, models, urls, rare=True)]
    others = [model | {"name": str(model["name"])} for model in models.values()]
    return [group for group in [*groups, _listed(RARE, rare + others)] if group["models"]]


def place_of(path: str, groups: Iterable[Listed]) -> dict[str, str]:
    """Return the address and the title of the page of the navigation that the path belongs to, for
    templates; both are empty for another path."""
    url = current(path, groups)
    pages = (page for group in groups for page in group["models"])
    title = next((page["name"] for page in pages if url and page.get("admin_url") == url), "")
    return {"current_page": url, "current_title": title, "rare_group": RARE}


def current(path: str, groups: Iterable[Listed]) -> str:
    """Return the address of the page of the navigation that the path belongs to; else empty."""
    for page in (page for group in NAVIGATION for page in group.pages):
        if path in map(reverse, page.below):
            return reverse(f"admin:{page.model.replace('.', '_')}_changelist")
    urls = (page.get("admin_url") or "" for group in groups for page in group["models"])
    return max((url for url in urls if url and path.startswith(url)), key=len, default="")


def _label(app: Listed, model: Listed) -> str:
    return f"{app['app_label']}.{model['object_name'].lower()}"


def _pages(
    group: Group, models: dict[str, Listed], urls: Mapping[str, str], *, rare: bool = False
) -> Iterator[Listed]:
    for page in (page for page in group.pages if page.rare == rare):
        if found := models.pop(page.model, None):
            yield found | {"name": page.title}
        elif url := urls.get(page.url_name):
            yield {"name": page.title, "object_name": page.url_name, "admin_url": url}


def _listed(title: str, models: Iterable[Listed]) -> Listed:
    return {"name": title, "app_label": title.lower(), "app_url": "", "models": list(models)}
