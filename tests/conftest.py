"""One browser for all tests of a file."""

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
