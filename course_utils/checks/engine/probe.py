"""For exercises in which something broken is to be mended: run the answer, and say what it does.

A verdict is a word, "mended" or the name of a mistake, so that every answer with the same fault
gets the same diagnosis, however it is written.
"""


class Probe:
    """`verdict(answer)`, as a function without arguments; a crash is reported with its line."""

    def __init__(self, answer, verdict):
        if not callable(answer):
            raise TypeError("A function is checked here: pass the function, without calling it")
        self.answer, self.verdict = answer, verdict
        self.__code__ = getattr(answer, "__code__", None)  # where `guard` looks for the line

    def __call__(self):
        return self.verdict(self.answer)
