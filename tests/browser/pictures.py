"""Makes the pictures of the README and the manual: `python -m tests.browser.pictures`.

They show an Argo that is filled as the demo is, without the hostile text of the tests.
"""

import sys
import tempfile
from pathlib import Path
from typing import Literal, get_args

from playwright.sync_api import Page

from tests.browser import chromium, running_argo
from tests.browser.visitors import Visitors
from tests.installation import ROOT

FOLDER = ROOT / "templates" / "docs"
TALL, LOW = {"width": 1280, "height": 1500}, {"width": 1280, "height": 1000}
SCALE = 0.75
LARGEST = 200_000
"""Bytes of a picture."""
Scheme = Literal["light", "dark"]


def main() -> None:
    """Write each picture to the manual's folder."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_argo.running(Path(folder), with_hostile_text=False) as argo,
        chromium.browser() as browser,
    ):
        visitors = Visitors(browser, argo)
        _write_report(visitors, Path(folder) / "report.html")
        for scheme in get_args(Scheme):
            options = {"color_scheme": scheme, "device_scale_factor": SCALE}
            with visitors.page("viewer", viewport=TALL, **options) as page:
                page.goto("/")
                _write(page, f"dashboard-{scheme}")
            with visitors.page("viewer", viewport=LOW, **options) as page:
                page.goto(f"/signals/?id={argo.lost_id}")
                page.locator("#chart canvas").first.wait_for()
                _write(page, f"signal-{scheme}")


def _write_report(visitors: Visitors, file: Path) -> None:
    """Make the report as a file, as the README tells its reader to, and take its picture."""
    visitors.argo.installation.manage("report", "--html", str(file)).check_returncode()
    with visitors.page(viewport=TALL, device_scale_factor=SCALE) as page:
        page.goto(file.as_uri())
        _write(page, "report")


def _write(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    if (size := path.stat().st_size) > LARGEST:
        sys.exit(f"{path} has {size:,} bytes; at most {LARGEST:,} are allowed.")
    print(f"{path}: {size:,} bytes")


if __name__ == "__main__":
    main()
