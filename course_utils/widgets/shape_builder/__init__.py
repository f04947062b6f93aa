"""A stack of layers to build and to mend, with what every layer gives and costs."""

from course_utils.widgets.shape_builder.widget import ShapeBuilder

__all__ = ["ShapeBuilder"]
