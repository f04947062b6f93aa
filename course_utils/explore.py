"""A picture that follows its sliders, for a lesson in which plain controls are enough."""

import html

import ipywidgets
from IPython.display import display

from course_utils import plotting

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class Explorer:
    """Controls above a picture that is drawn anew whenever one of them changes.

    The arithmetic and the drawing are `draw`, a pure function, so that they can be tested without
    a browser. A `ValueError` that it raises is shown as a sentence in the place of the picture.
    Where no kernel runs (a stored notebook, a web page), the first picture stays.

    Args:
        draw: called with the value of every control by name; returns a `Figure` with `alt_text`,
            as the `draw_*` of `course_utils.plotting` do.
        **controls: for each argument of `draw` an ipywidgets control, or its abbreviation:
            `(smallest, largest)` or `(smallest, largest, step)` for a slider, a list or a mapping
            for a menu, True or False for a check box.
    """

    def __init__(self, draw, **controls):
        self.draw = draw
        self.controls = {name: _control(name, value) for name, value in controls.items()}
        self._picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        self._caption = ipywidgets.HTML()
        panel = ipywidgets.Box(list(self.controls.values()), layout={"flex_flow": "row wrap"})
        self.widget = ipywidgets.VBox([panel, self._picture, self._caption])
        for control in self.controls.values():
            control.observe(self._update, names="value")
        self._show(draw(**self.values))

    @property
    def values(self):
        """What the controls say now: a mapping from name to value."""
        return {name: control.value for name, control in self.controls.items()}

    def _update(self, change):
        try:
            self._show(self.draw(**self.values))
        except ValueError as error:
            self._picture.layout.display = "none"
            self._caption.value = f"<b>Not possible:</b> {html.escape(str(error))}"

    def _show(self, figure):
        data, metadata = plotting.bundle(figure)
        self._picture.value = data["image/png"]
        self._picture.width = str(metadata["image/png"]["width"])
        self._picture.layout.display = None
        # The words are the picture's text for a screen reader, and for everyone else its caption.
        self._caption.value = f"<span role='status'>{html.escape(figure.alt_text)}</span>"
        self._static = data, metadata

    def _ipython_display_(self):
        data, metadata = self._static
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        display({**data, WIDGET_VIEW: view}, metadata=metadata, raw=True)


def _control(name, value):
    """The control that an abbreviation stands for, with `name` as its label."""
    if isinstance(value, ipywidgets.Widget):
        control = value
    else:
        control = ipywidgets.interactive.widget_from_abbrev(value)
    if control is None:
        raise ValueError(
            f"{name}={value!r} is no control: give (smallest, largest), a list, True or False, "
            "or an ipywidgets control"
        )
    control.description = control.description or name.replace("_", " ")
    control.style = {"description_width": "7em"}
    return control


def explore(draw, **controls):
    """An `Explorer`; as the last line of a cell it shows itself."""
    return Explorer(draw, **controls)
