"""The helper package of the course on convolutional networks.

Importing it costs nothing: each sub-module is loaded when it is first used.
"""

import importlib

__version__ = "0.1.0"
__all__ = [
    "anatomy",
    "assignments",
    "checks",
    "compression",
    "data",
    "deploy",
    "explore",
    "interpret",
    "models",
    "ops",
    "plotting",
    "pretrained",
    "seeds",
    "start",
    "training",
    "widgets",
    "workers",
]


def __getattr__(name):
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
