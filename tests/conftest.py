"""One browser for all tests of a file."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "widgets"))

import page as pages


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
