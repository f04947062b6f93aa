"""Where the page loads its widgets from; None as long as nobody asked for them."""

_installed_url = None
