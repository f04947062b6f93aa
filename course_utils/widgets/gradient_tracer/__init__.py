"""GradientTracer: forward through convolution, ReLU and pooling, and every gradient backward."""

from course_utils.widgets.gradient_tracer.widget import GradientTracer

__all__ = ["GradientTracer"]
