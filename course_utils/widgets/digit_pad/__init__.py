"""DigitPad: draw a digit, and see what the network makes of it."""

from course_utils.widgets.digit_pad.ink import prepare_digit
from course_utils.widgets.digit_pad.network import network_description
from course_utils.widgets.digit_pad.widget import DigitPad

__all__ = ["DigitPad", "network_description", "prepare_digit"]
