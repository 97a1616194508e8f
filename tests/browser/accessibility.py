"""What keeps people out of a page: axe's serious and critical findings."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = ("serious", "critical")
OPTIONS = {"resultTypes": ["violations"], "preload": False}
"""Without `preload`, which reads stylesheets again as inline styles, against the content policy."""
_axe = Axe()


def faults(page: Page) -> list[str]:
    """Return each serious violation, with the elements that have it."""
    found = _axe.run(page, options=OPTIONS).response["violations"]
    return [
        f"{page.url}: {each['id']} ({each['help']}): {node['target']} {node['failureSummary']}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]
