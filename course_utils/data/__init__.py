"""The course's pictures and measurements: MNIST or its stand-in, a photograph, stored runs."""

from .digits import SOURCES, Digits, Split, load_digits
from .embedded import load_photo
from .mnist import VALIDATION, DataUnavailable

__all__ = [
    "SOURCES",
    "VALIDATION",
    "DataUnavailable",
    "Digits",
    "Split",
    "load_digits",
    "load_photo",
]
