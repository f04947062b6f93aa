"""The widgets: each computes in the browser, and says the same in Python.

    from course_utils import widgets
    w = widgets.ConvolutionStepper()
    w            # shows itself
    w.stride = 2
    w.output     # what the widget shows, as a tensor

Each has a folder of its own: `widget.py` holds its state, `view.js` answers mouse and keyboard, and
what either needs lies beside it. A file that does the same in both languages has one name in both.
`shared/` is what several have in common.
"""

import importlib

_FOLDERS = {
    "ConvolutionStepper": "convolution_stepper",
    "KernelPlayground": "kernel_playground",
    "PoolingExplorer": "pooling_explorer",
    "GradientTracer": "gradient_tracer",
    "ShapeBuilder": "shape_builder",
    "DepthExplorer": "depth_explorer",
    "DigitPad": "digit_pad",
}
__all__ = list(_FOLDERS)


def __getattr__(name):
    if name in _FOLDERS:
        return getattr(importlib.import_module(f"{__name__}.{_FOLDERS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
