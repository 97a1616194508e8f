"""One browser and one Argo for all tests of this folder, which change it as people do.

They live as long as the tests of this folder run, and no longer: Playwright has an event loop in
the main thread, in which Django refuses to use the database.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium, running_argo
from tests.browser.running_argo import RunningArgo
from tests.browser.visitors import Visitors


@pytest.fixture(scope="package")
def argo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArgo]:
    chromium.required_or_skipped()
    with running_argo.running(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="package")
def browser(argo: RunningArgo) -> Iterator[Browser]:
    with chromium.browser() as running:
        yield running


@pytest.fixture(scope="package")
def visitors(browser: Browser, argo: RunningArgo) -> Visitors:
    return Visitors(browser, argo)
