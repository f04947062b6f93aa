"""What the graded assignments use: numbers of one's own, examples to try, and `graded`.

Everything here works in JupyterLab and in Colab, with no nbgrader installed. What belongs to one
assignment alone is a module of its own: `own_numbers` (A1, A2), `classifier` (A3), `budget` (A4).
"""

from ..checks import Case
from .answers import NotYet, examples, graded
from .own_numbers import NO_ID, normal_id, numbers_for

__all__ = ["NO_ID", "Case", "NotYet", "examples", "graded", "normal_id", "numbers_for"]
