"""What a network is made of: shapes, parameters, multiplications and receptive fields by layer."""

from .fields import receptive_field
from .summary import Row, Summary, count_parameters, summarize

__all__ = ["Row", "Summary", "count_parameters", "receptive_field", "summarize"]
