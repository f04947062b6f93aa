"""What several runs with different seeds say together, and the runs stored with the course."""

from .data.measurements import stored
from .training.results import mean_interval

__all__ = ["mean_interval", "stored"]
