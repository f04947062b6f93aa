"""Which of the widgets' tests are left to `make test-more`, and a page with a widget for them."""

from pathlib import Path

import page as pages
import pytest


@pytest.hookimpl(tryfirst=True)  # before the marks are read
def pytest_collection_modifyitems(items):
    """Leave the many tests of single controls to `make test-more`.

    `make test` has the arithmetic and the state of every widget, and drives each in JupyterLab.
    """
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        if "browser" in item.fixturenames and item.path.stem != "test_in_jupyterlab":
            item.add_marker(pytest.mark.more)
        # Playwright leaves its own transport to the garbage collector.
        for warning in ("ResourceWarning", "pytest.PytestUnraisableExceptionWarning"):
            item.add_marker(pytest.mark.filterwarnings(f"ignore::{warning}"))


@pytest.fixture
def page(browser, widget):
    """A page that shows `widget`, a fixture of the test's own file."""
    page = pages.mount(browser, widget)
    yield page
    assert page.errors == []
    page.close()
