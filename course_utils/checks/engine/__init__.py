"""What every check is made of: `Exercise` is where to begin to read."""

from course_utils.checks.engine.exercise import Case, Exercise, Mistake, Mistakes, later

__all__ = ["Case", "Exercise", "Mistake", "Mistakes", "later"]
