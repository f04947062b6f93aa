"""What anywidget asks Colab for, so that widgets that are not Colab's own are shown."""

from google.colab import _widgets, record


def enable_custom_widget_manager(version=""):
    """As in Colab, from then on the module knows where the page loads widgets from."""
    record("output.enable_custom_widget_manager")
    _widgets._installed_url = "https://example.org/manager.js"


def __getattr__(name):
    if not name.startswith("__"):
        record(f"output.{name}")
    raise AttributeError(name)
