"""DepthExplorer: what depth, width, kernel and input size cost, and what others measured for it."""

from course_utils.widgets.depth_explorer.counts import count
from course_utils.widgets.depth_explorer.widget import DepthExplorer

__all__ = ["DepthExplorer", "count"]
