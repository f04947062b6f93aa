"""The widgets: each computes in the browser, and says the same in Python.

    from course_utils import widgets
    w = widgets.ConvolutionStepper()
    w            # shows itself
    w.stride = 2
    w.output     # what the widget shows, as a tensor

Each class is one Python file, which holds its state and draws its static picture, and one ES
module, which answers mouse and keyboard. `arithmetic/` is what the browser computes with, `shared/`
what the views have in common. `_base.py` puts the modules together.
"""

import importlib

_MODULES = {
    "ConvolutionStepper": "convolution_stepper",
    "KernelPlayground": "kernel_playground",
    "PoolingExplorer": "pooling_explorer",
    "GradientTracer": "gradient_tracer",
    "ShapeBuilder": "shape_builder",
    "DepthExplorer": "depth_explorer",
    "DigitPad": "digit_pad",
}
__all__ = list(_MODULES)


def __getattr__(name):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
