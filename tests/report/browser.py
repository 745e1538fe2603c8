"""A headless Chromium that opens a page from disk or from a server; dev dependency selenium, and Debian's chromium and chromium-driver."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

MISSING = next(
    (
        f"needs {name} on the PATH: apt-get install -y chromium chromium-driver"
        for name in ("chromium", "chromedriver")
        if shutil.which(name) is None
    ),
    "",
)

MARKS = [
    pytest.mark.long,
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
"""Of every module of tests in a browser."""


@contextmanager
def opened(page: Path | str, profile: Path, width: int = 1400, dark: bool = False) -> Iterator:
    """Open a file or an address; give the driver, and end the browser whatever happens."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    flags = "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
    for flag in (flags + " --disable-component-update --hide-scrollbars").split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    options.add_argument(f"--window-size={width},1000")
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(profile), "download.prompt_for_download": False}
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        show(driver, page, width, dark)
        yield driver
    finally:
        driver.quit()


def show(driver: Any, page: Path | str, width: int = 1400, dark: bool = False) -> None:
    """Load a page anew in a window of a width, light or dark."""
    # a headless window is no narrower than 500 px: a phone's width has to be emulated
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    driver.get(page.as_uri() if isinstance(page, Path) else page)
