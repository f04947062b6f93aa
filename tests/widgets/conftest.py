"""One browser for all tests of a file."""

from pathlib import Path

import page as pages
import pytest


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window; a test that asks for it is skipped where there is none."""
    if not pages.CHROMIUM:
        pytest.skip("no Chromium here to drive")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = pages.open_browser(playwright)
        yield browser
        browser.close()


@pytest.hookimpl(tryfirst=True)  # before the marks are read
def pytest_collection_modifyitems(items):
    """Leave the many tests of single controls to `make test-more`.

    `make test` has the arithmetic and the state of every widget, and drives each in JupyterLab.
    """
    for item in items:
        if item.path.parent != Path(__file__).parent:
            continue
        if "browser" in item.fixturenames and item.path.stem != "test_in_jupyterlab":
            item.add_marker(pytest.mark.more)
        # Playwright leaves its own transport to the garbage collector.
        for warning in ("ResourceWarning", "pytest.PytestUnraisableExceptionWarning"):
            item.add_marker(pytest.mark.filterwarnings(f"ignore::{warning}"))
