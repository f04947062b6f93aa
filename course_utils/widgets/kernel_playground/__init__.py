"""KernelPlayground: a picture, a kernel, and what the kernel answers everywhere at once."""

from course_utils.widgets.kernel_playground.widget import KernelPlayground

__all__ = ["KernelPlayground"]
