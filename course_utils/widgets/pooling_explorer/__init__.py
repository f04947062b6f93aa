"""PoolingExplorer: one window of a pooling at a time, and what happens when the input moves."""

from course_utils.widgets.pooling_explorer.widget import PoolingExplorer

__all__ = ["PoolingExplorer"]
