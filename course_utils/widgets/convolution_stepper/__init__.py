"""ConvolutionStepper: one output number of a convolution at a time, and the sum behind it."""

from course_utils.widgets.convolution_stepper.widget import ConvolutionStepper

__all__ = ["ConvolutionStepper"]
